package bench

// disturbances are what neighbours may do, some in malice, some as ordinary pages. Each
// of them has delayed the others in the past.
func disturbances() []disturbance {
	return []disturbance{
		{
			name:    "neighbours-resume",
			what:    "one resumes 9,614 replies by 64 hard patterns",
			prepare: (*testbed).tellLongIDs,
			disturb: (*testbed).resumeByHardPatterns,
			goals:   []goal{worstWithin(20)},
		}, {
			name:    "neighbours-keywords",
			what:    "one resumes 9,000 replies of 42 keywords by 64 patterns",
			prepare: (*testbed).tellKeywords,
			disturb: (*testbed).resumeByKeywords,
			goals:   []goal{worstWithin(20)},
		}, {
			name:    "neighbours-snapshot",
			what:    "one asks for a snapshot of 200 actors with 200 keywords by 64 patterns",
			prepare: (*testbed).tellActors,
			disturb: (*testbed).askByKeywords,
			goals:   []goal{worstWithin(20)},
		}, {
			name:    "neighbours-patterns",
			what:    "20 clients with 256 patterns each, 190 commands/s",
			disturb: (*testbed).commandAmongPatterns,
			goals:   []goal{medianWithin(5)},
		}, {
			name:    "neighbours-inflate",
			what:    "2 clients send 500 messages of 1.5 KB that are 1 MiB",
			flags:   []string{"--compress"},
			disturb: (*testbed).sendBombs,
			goals:   []goal{worstWithin(50)},
		}, {
			name:    "neighbours-objects",
			what:    "4 clients send objects of 1 MiB with 96,000 keys",
			disturb: (*testbed).sendObjects,
			goals:   []goal{medianWithin(20), worstWithin(100)},
		}, {
			name:    "neighbours-slow-tls",
			what:    "24 MB of replies, 60 TLS clients with wishes of their own do not read",
			secure:  true,
			disturb: (*testbed).tellThoseWhoDoNotRead,
			goals:   []goal{worstWithin(50)},
		}, {
			name:    "neighbours-metrics",
			what:    "2 clients send such messages while there are 24 MB of replies",
			flags:   []string{"--compress"},
			disturb: (*testbed).sendBombsAmongReplies,
			goals:   []goal{metricsWithin(250)},
		}, {
			name:    "neighbours-connect",
			what:    "8 connect to resume 10,000 replies and hang up, again and again",
			prepare: (*testbed).tellResumable,
			disturb: (*testbed).resumeAndGo,
			goals:   []goal{medianWithin(20)},
		}, {
			name:    "neighbours-askers",
			what:    "8 clients ask for such snapshots, each for 32 at a time",
			prepare: (*testbed).tellActors,
			disturb: (*testbed).askTogether,
			goals:   []goal{medianWithin(20)},
		},
	}
}
