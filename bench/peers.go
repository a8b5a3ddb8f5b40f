package bench

import (
	"io"
	"time"
)

// PeersConfig says what [Peers] measures.
type PeersConfig struct {
	// Program is clu-ws.
	Program string
	// Folder is where scripts/setup-peers.sh has set up the other servers.
	Folder string
	// RabbitMQ is the command that starts a RabbitMQ with Web STOMP and Web MQTT at the ports that follow as two more
	// arguments, prints its URL, and ends with its stdin. Without it, the bridge is measured on its embedded broker.
	RabbitMQ []string
	// CLU is the clu program of CLU 2.6.1.
	CLU string
	// Python is a Python interpreter, and SocketShark the folder in which it finds SocketShark, for [Dialects].
	Python, SocketShark string
	// Versions names the versions of what is set up, for the report.
	Versions []string
	// Only names the peers to measure; nil is all.
	Only []string
	// Sizes is how much is measured. The zero value is [FullPeerSizes], or [FullDialectSizes].
	Sizes PeerSizes
	// Progress gets a line for each step; nil is none.
	Progress io.Writer
}

// PeerSizes is how much of everything a run has.
type PeerSizes struct {
	// Rounds is how often all take turns.
	Rounds int
	// Loads are the numbers of clients.
	Loads []PeerLoad
	// Memory is read with IdleFrom clients and with IdleTo, each time after Settle.
	IdleFrom, IdleTo int
	Settle           time.Duration
	// RoundTrips are made in each round.
	RoundTrips int
	// Longest is the longest time of the whole run. Rounds for which there is no time are left out.
	Longest time.Duration
}

// PeerLoad is how many replies go to how many clients: some one at a time, then some at once.
type PeerLoad struct {
	Clients, Steady int
	Topics          int // over which both are spread; 0 and 1 are one
	Every           time.Duration
	Burst           int
}

// FullPeerSizes returns the sizes of the published figures. Each load has the same number of deliveries.
func FullPeerSizes() PeerSizes {
	return PeerSizes{
		Rounds: 3,
		Loads: []PeerLoad{
			{Clients: 100, Steady: 150, Every: time.Second / 100, Burst: 1000},
			{Clients: 1000, Steady: 30, Every: time.Second / 20, Burst: 100},
			{Clients: 5000, Steady: 6, Every: time.Second / 4, Burst: 20},
		},
		IdleFrom: 500, IdleTo: 5000, Settle: time.Second,
		RoundTrips: 300,
		Longest:    8 * time.Minute,
	}
}

// PeersReport is the result of a run.
type PeersReport struct {
	Time     time.Time    `json:"time"`
	Took     float64      `json:"took_seconds"`
	CPUs     int          `json:"cpus"`
	Rounds   int          `json:"rounds"`
	Versions []string     `json:"versions,omitempty"`
	Cut      bool         `json:"cut,omitempty"` // there was no time for all rounds
	Peers    []PeerResult `json:"peers"`
}

// PeerResult is what was measured of one peer. A figure is the median of the rounds; 0 was not measured.
type PeerResult struct {
	Name      string        `json:"name"`
	Missing   string        `json:"missing,omitempty"`       // why figures are missing
	Idle      float64       `json:"idle_bytes,omitempty"`    // for each client that does nothing
	RoundTrip float64       `json:"round_trip_ms,omitempty"` // median of a command and its answer
	Loads     []LoadFigures `json:"loads,omitempty"`         //
	Lost      int           `json:"lost,omitempty"`          // deliveries that never came, in all rounds
}

// LoadFigures is what was measured with a number of clients, in each round.
type LoadFigures struct {
	Clients   int       `json:"clients"`
	Topics    int       `json:"topics,omitempty"`            // 0 is one
	PerSecond float64   `json:"replies_per_second"`          // one at a time
	Burst     int       `json:"burst"`                       // replies at once
	SteadyCPU []float64 `json:"steady_cpu_us"`               // of each delivery
	OwnCPU    []float64 `json:"steady_own_cpu_us,omitempty"` // without what is behind the server
	BurstCPU  []float64 `json:"burst_cpu_us"`
	P50       []float64 `json:"p50_ms,omitempty"`
	P99       []float64 `json:"p99_ms"`              // one at a time
	RSS       []float64 `json:"rss_bytes,omitempty"` // after the burst
	Rate      []float64 `json:"burst_deliveries_per_second"`
}
