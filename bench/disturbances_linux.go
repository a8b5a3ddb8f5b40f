package bench

import "slices"

// disturbances returns what neighbours do, in malice or as ordinary pages. Each of them has delayed other clients of some
// version of the bridge.
func disturbances() []disturbance {
	return slices.Concat(patternDisturbances(), trafficDisturbances(), floodDisturbances())
}

// patternDisturbances are subscriptions whose patterns are expensive to match.
func patternDisturbances() []disturbance {
	return []disturbance{
		{
			name:    "neighbours-resume",
			what:    "one resumes 9,614 replies by 64 hard patterns",
			prepare: (*testbed).publishLongIDs,
			disturb: (*testbed).resumeByHardPatterns,
			goals:   []goal{maxPingWithin(20)},
		}, {
			name:    "neighbours-keywords",
			what:    "one resumes 9,000 replies of 42 keywords by 64 patterns",
			prepare: (*testbed).publishKeywords,
			disturb: (*testbed).resumeByKeywords,
			goals:   []goal{maxPingWithin(20)},
		}, {
			name:    "neighbours-snapshot",
			what:    "one requests a snapshot of 200 actors with 200 keywords by 64 patterns",
			prepare: (*testbed).publishActors,
			disturb: (*testbed).snapshotByKeywords,
			goals:   []goal{maxPingWithin(20)},
		}, {
			name:    "neighbours-patterns",
			what:    "20 clients with 256 patterns each, 190 commands/s",
			disturb: (*testbed).commandsWithPatterns,
			goals:   []goal{medianPingWithin(5)},
		},
	}
}

// trafficDisturbances are messages that are expensive to read, and replies that are not read.
func trafficDisturbances() []disturbance {
	return []disturbance{
		{
			name:    "neighbours-inflate",
			what:    "2 clients send 500 messages of 1.5 KB that inflate to 1 MiB",
			flags:   []string{"--compress"},
			disturb: (*testbed).sendBombs,
			goals:   []goal{maxPingWithin(50)},
		}, {
			name:    "neighbours-objects",
			what:    "4 clients send objects of 1 MiB with 96,000 keys",
			disturb: (*testbed).sendObjects,
			goals:   []goal{medianPingWithin(20), maxPingWithin(100)},
		}, {
			name:    "neighbours-slow-tls",
			what:    "24 MB of replies, 60 TLS clients with different subscriptions do not read",
			tls:     true,
			disturb: (*testbed).publishToNonReaders,
			goals:   []goal{maxPingWithin(50)},
		}, {
			name:    "neighbours-metrics",
			what:    "2 clients send such messages during 24 MB of replies",
			flags:   []string{"--compress"},
			disturb: (*testbed).sendBombsAmongReplies,
			goals:   []goal{metricsWithin(250)},
		},
	}
}

// floodDisturbances are requests without a pause.
func floodDisturbances() []disturbance {
	return []disturbance{
		{
			name:    "neighbours-connect",
			what:    "8 connect to resume 10,000 replies and disconnect, again and again",
			prepare: (*testbed).publishHistory,
			disturb: (*testbed).floodResumes,
			goals:   []goal{medianPingWithin(20)},
		}, {
			name:    "neighbours-flood",
			what:    "8 clients request such snapshots, each 32 at a time",
			prepare: (*testbed).publishActors,
			disturb: (*testbed).floodSnapshots,
			goals:   []goal{medianPingWithin(20)},
		},
	}
}
