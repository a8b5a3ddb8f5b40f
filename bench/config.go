package bench

import (
	"io"
	"time"
)

// Config says what [Run] measures.
type Config struct {
	// Program is the clu-ws that runs the baseline and the broker. "" is the running program.
	Program string
	// Server is the clu-ws under test, such as an older one. "" is Program.
	Server string
	// ServerArgs are added to the flags of clu-ws websocket.
	ServerArgs []string
	// BrokerURL is a RabbitMQ to use; "" starts the embedded broker as a child.
	BrokerURL string
	// RabbitMQURL is the RabbitMQ of the scenarios that need one; "" is BrokerURL.
	// Without either they are left out.
	RabbitMQURL string
	// CLU is the clu program of CLU 2.6.1, whose WebSocket server is measured too; "" leaves that out.
	CLU string
	// Only names the scenarios to run; nil is all of them, except those that run only by name.
	Only []string
	// Sizes is how much of everything a run has. The zero value is [FullSizes].
	Sizes Sizes
	// JSON is a file for the figures; "" is none.
	JSON string
	// Perf is a folder for perf(1) recordings of the server in the burst, steady, batch and groups scenarios; "" is
	// none. Recording costs CPU time.
	Perf string
	// Stdout gets the table.
	Stdout io.Writer
	// Progress gets a progress bar if it is a terminal, else a line for each scenario; nil is neither.
	Progress io.Writer
}

// Sizes is how much of everything a run has.
type Sizes struct {
	// Rounds is how often reference and server take turns.
	Rounds int
	// Clients is the usual number of clients; Few and Many show whether the cost of a delivery depends on it.
	Clients, Few, Many int

	// SteadyReplies are sent one each SteadyEvery.
	SteadyReplies int
	SteadyEvery   time.Duration

	// BatchFor is how long each round sends replies to clients that accept batches.
	BatchFor time.Duration

	// BurstReplies are sent at once.
	BurstReplies int

	// Memory is read with IdleFrom clients and with IdleTo, each time after Settle.
	IdleFrom, IdleTo int
	Settle           time.Duration

	// LatencyReplies are sent to LatencyClients, one each LatencyEvery.
	LatencyClients, LatencyReplies int
	LatencyEvery                   time.Duration

	// OpenConnections is how many connections are opened and kept.
	OpenConnections int

	// SlowClients of Many clients read nothing while SlowReplies are sent, one each SlowEvery.
	SlowClients, SlowReplies int
	SlowEvery                time.Duration

	// GroupClients are in Groups with equal subscriptions. GroupReplies are sent, one each GroupEvery, each for one group.
	GroupClients, Groups, GroupReplies int
	GroupEvery                         time.Duration

	// StormClients with tokens connect at once while StormReplies are sent, one each StormEvery.
	StormClients, StormReplies int
	StormEvery                 time.Duration

	// ReloadReplies are sent, one each ReloadEvery, while the configuration of GroupClients is read again.
	ReloadReplies int
	ReloadEvery   time.Duration

	// SnapshotClients request a snapshot at the same moment, while SnapshotReplies are sent, one each SnapshotEvery.
	SnapshotClients, SnapshotReplies int
	SnapshotEvery                    time.Duration

	// HistoryReplies with many keywords are sent, one each HistoryEvery.
	HistoryReplies int
	HistoryEvery   time.Duration

	// Each of Commanders clients sends Commands, with at most InFlight of them in flight, and CLUCommands to CLU's own
	// server; to an actor that replies, Answered and CLUAnswered.
	Commanders, Commands, CLUCommands, InFlight int
	Answered, CLUAnswered                       int

	// Backlog replies are in the queue when the bridge starts to consume.
	Backlog int

	// RoundTrips are made one at a time.
	RoundTrips int

	// TLSClients are sent TLSReplies, one each TLSEvery, and a burst. Their memory is read with TLSClients and with
	// TLSIdle of them.
	TLSClients, TLSIdle, TLSReplies int
	TLSEvery                        time.Duration

	// HugeClients connect to at least HugeBridges bridges on one port, and are sent HugeReplies, one each HugeEvery, three
	// times.
	HugeClients, HugeBridges, HugeReplies int
	HugeEvery                             time.Duration

	// NeighbourDivisor divides what neighbours send: 1 is all of it. Endless disturbances last for DisturbFor. The probes
	// measure for BaselineFor before a disturbance, and for at most MaxRound during it.
	NeighbourDivisor                  int
	BaselineFor, DisturbFor, MaxRound time.Duration
}

// FullSizes returns the sizes for the goals. A run takes about nine minutes, and two more with a RabbitMQ.
func FullSizes() Sizes {
	return Sizes{
		Rounds:  5,
		Clients: 1000, Few: 100, Many: 5000,
		SteadyReplies: 30, SteadyEvery: time.Second / 20,
		BatchFor:     2 * time.Second,
		BurstReplies: 2000,
		IdleFrom:     1000, IdleTo: 15000, Settle: 3 * time.Second,
		LatencyClients: 10, LatencyReplies: 800, LatencyEvery: time.Second / 200,
		OpenConnections: 10000,
		SlowClients:     500, SlowReplies: 300, SlowEvery: time.Second / 50,
		GroupClients: 10000, Groups: 100, GroupReplies: 2000, GroupEvery: time.Second / 1000,
		StormClients: 1000, StormReplies: 2500, StormEvery: time.Second / 1000,
		ReloadReplies: 1000, ReloadEvery: time.Second / 500,
		SnapshotClients: 1000, SnapshotReplies: 800, SnapshotEvery: time.Second / 200,
		HistoryReplies: 1500, HistoryEvery: time.Second / 250,
		Commanders: 4, Commands: 5000, CLUCommands: 2500, InFlight: 128,
		Answered: 4000, CLUAnswered: 250,
		Backlog:    50_000,
		RoundTrips: 500,
		TLSClients: 500, TLSIdle: 3000, TLSReplies: 25, TLSEvery: time.Second / 25,
		HugeClients: 100_000, HugeBridges: 6, HugeReplies: 10, HugeEvery: time.Second,
		NeighbourDivisor: 1, BaselineFor: time.Second / 2, DisturbFor: 3 * time.Second, MaxRound: 15 * time.Second,
	}
}

// QuickSizes returns the sizes for a first look, in about two minutes. The numbers of clients are the same, the
// rounds are fewer and shorter.
func QuickSizes() Sizes {
	s := FullSizes()
	s.Rounds = 1
	s.Settle = time.Second
	s.LatencyReplies = 300
	s.SlowReplies = 150
	s.HistoryReplies = 500
	s.Backlog = 20_000
	s.DisturbFor = time.Second
	return s
}
