package bench

import "time"

// FullDialectSizes returns the sizes of the published figures. Each load has the same number of deliveries a second.
func FullDialectSizes() PeerSizes {
	return PeerSizes{
		Rounds: 5,
		Loads: []PeerLoad{
			{Clients: 1000, Topics: 100, Steady: 2000, Every: time.Second / 500, Burst: 500},
			{Clients: 1000, Topics: 1, Steady: 15, Every: time.Second / 5, Burst: 5},
		},
		Longest: 5 * time.Minute,
	}
}

// DialectsReport is the result of [Dialects].
type DialectsReport struct {
	Time     time.Time       `json:"time"`
	Took     float64         `json:"took_seconds"`
	CPUs     int             `json:"cpus"`
	Busy     float64         `json:"load_average"` // of the last minute before the run
	Rounds   int             `json:"rounds"`
	Versions []string        `json:"versions,omitempty"`
	Cut      bool            `json:"cut,omitempty"` // there was no time for all rounds
	Systems  []DialectSystem `json:"systems"`
	Bare     PeerResult      `json:"bare"` // a bare loop that writes the same frames
}

// DialectSystem is what was measured of a system whose dialect the bridge speaks, and of the bridge in its place.
type DialectSystem struct {
	Itself PeerResult `json:"itself"`
	Bridge PeerResult `json:"bridge"`
}
