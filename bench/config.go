package bench

import (
	"io"
	"time"
)

// Config says what [Run] measures.
type Config struct {
	// Program is the clu-ws that runs the bare loop and the broker. "" is the running
	// program.
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
	// CLU is the clu program of CLU 2.6.1, whose WebSocket server is measured too;
	// "" leaves that out.
	CLU string
	// Only names the scenarios to run; none is all of them.
	Only []string
	// Sizes says how much of everything there is. The zero value is [FullSizes].
	Sizes Sizes
	// JSON is a file for the figures; "" is none.
	JSON string
	// Perf is a folder for perf(1) recordings of the server in the burst, steady,
	// batch and groups scenarios; "" is none. Recording costs time on the processor.
	Perf string
	// Stdout gets the table.
	Stdout io.Writer
	// Progress gets the progress bar if it is a terminal, else a line for each
	// scenario. nil is nothing.
	Progress io.Writer
}

// Sizes is how much of everything there is in a run.
type Sizes struct {
	// Rounds is how often reference and server take turns.
	Rounds int
	// Clients is the usual number of them; Few and Many are for the question
	// whether the cost of a delivery stays the same.
	Clients, Few, Many int

	// SteadyReplies are sent one each SteadyEvery.
	SteadyReplies int
	SteadyEvery   time.Duration

	// Batched is for how long replies are sent to clients that let them wait, in each
	// round.
	Batched time.Duration

	// BurstReplies are sent at once.
	BurstReplies int

	// Memory is read with IdleFrom clients and with IdleTo, each time when they
	// have been there for Settle.
	IdleFrom, IdleTo int
	Settle           time.Duration

	// LatencyReplies are sent to LatencyClients, one each LatencyEvery.
	LatencyClients, LatencyReplies int
	LatencyEvery                   time.Duration

	// Held is how many connections are opened and held.
	Held int

	// Deaf of Many clients read nothing while SlowReplies are sent, one each SlowEvery.
	Deaf, SlowReplies int
	SlowEvery         time.Duration

	// Grouped clients are in Groups of the same wishes. GroupReplies are sent, one
	// each GroupEvery, each for one group.
	Grouped, Groups, GroupReplies int
	GroupEvery                    time.Duration

	// Askers clients ask for a snapshot at the same moment, while SnapshotReplies are
	// sent, one each SnapshotEvery.
	Askers, SnapshotReplies int
	SnapshotEvery           time.Duration

	// Each of Commanders clients sends Commands, of which InFlight may be under
	// way. To CLU's own server each sends CLUCommands.
	// To an actor that answers, Answered and CLUAnswered.
	Commanders, Commands, CLUCommands, InFlight int
	Answered, CLUAnswered                       int

	// Waiting replies are in the broker's queue when the bridge begins to read.
	Waiting int

	// RoundTrips are made one at a time.
	RoundTrips int

	// Secure clients come over TLS, and are sent SecureReplies, one each SecureEvery, and
	// a burst. Their memory is read with Secure and with SecureIdle of them.
	Secure, SecureIdle, SecureReplies int
	SecureEvery                       time.Duration

	// Massed clients come to at least MassedBridges bridges on one port, and are told
	// MassedReplies, one each MassedEvery, three times.
	Massed, MassedBridges, MassedReplies int
	MassedEvery                          time.Duration

	// Fewer divides what neighbours send: 1 is all of it. Endless disturbances last for
	// Storm. The honest clients are measured for Alone before a disturbance, and for at
	// most Longest once it has begun.
	Fewer                 int
	Alone, Storm, Longest time.Duration
}

// FullSizes are the sizes of the figures to reach. A run takes about seven minutes, and
// two more with a RabbitMQ.
func FullSizes() Sizes {
	return Sizes{
		Rounds:  5,
		Clients: 1000, Few: 100, Many: 5000,
		SteadyReplies: 30, SteadyEvery: time.Second / 20,
		Batched:      2 * time.Second,
		BurstReplies: 2000,
		IdleFrom:     1000, IdleTo: 15000, Settle: 3 * time.Second,
		LatencyClients: 10, LatencyReplies: 800, LatencyEvery: time.Second / 200,
		Held: 10000,
		Deaf: 500, SlowReplies: 300, SlowEvery: time.Second / 50,
		Grouped: 10000, Groups: 100, GroupReplies: 2000, GroupEvery: time.Second / 1000,
		Askers: 1000, SnapshotReplies: 800, SnapshotEvery: time.Second / 200,
		Commanders: 4, Commands: 5000, CLUCommands: 2500, InFlight: 128,
		Answered: 4000, CLUAnswered: 250,
		Waiting:    50_000,
		RoundTrips: 500,
		Secure:     500, SecureIdle: 3000, SecureReplies: 25, SecureEvery: time.Second / 25,
		Massed: 100_000, MassedBridges: 6, MassedReplies: 10, MassedEvery: time.Second,
		Fewer: 1, Alone: time.Second / 2, Storm: 3 * time.Second, Longest: 15 * time.Second,
	}
}

// QuickSizes are for a first look, in about a minute and a half. The numbers of
// clients are the same, the rounds are fewer and shorter.
func QuickSizes() Sizes {
	s := FullSizes()
	s.Rounds = 1
	s.Settle = time.Second
	s.LatencyReplies = 300
	s.SlowReplies = 150
	s.Waiting = 20_000
	s.Storm = time.Second
	return s
}
