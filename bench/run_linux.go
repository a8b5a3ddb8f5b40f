package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// bench is a run.
type bench struct {
	cfg       Config
	size      Sizes
	loop      *clientLoop
	proc      procfs
	brokerURL string
	rabbitURL string // of a RabbitMQ; "" is none
	progress  *progress
	report    *Report
}

// scenario is one thing to measure.
type scenario struct {
	name        string
	run         func(*bench, context.Context) ([]Row, error)
	files       func(Sizes) int     // open files of the busiest process
	seconds     func(Sizes) float64 // approximate duration
	needsRabbit bool                // it needs a RabbitMQ
	onRequest   bool                // it runs only when it is named
}

func scenarios() []scenario {
	return slices.Concat([]scenario{
		{"steady", (*bench).steady, func(s Sizes) int { return 2 * s.Clients }, steadySeconds, false, false},
		{"batch", (*bench).batched, func(s Sizes) int { return 2 * s.Clients }, batchSeconds, false, false},
		{"burst", (*bench).bursts, func(s Sizes) int { return 2 * s.Many }, burstSeconds, false, false},
		{"idle", (*bench).idle, func(s Sizes) int { return s.IdleTo }, idleSeconds, false, false},
		{"latency", (*bench).latency, func(s Sizes) int { return s.LatencyClients }, latencySeconds, false, false},
		{"connect", (*bench).connections, func(s Sizes) int { return s.OpenConnections }, connectSeconds, false, false},
		{"slow", (*bench).slow, func(s Sizes) int { return s.Many }, slowSeconds, false, false},
		{"groups", (*bench).groups, func(s Sizes) int { return s.GroupClients }, groupsSeconds, false, false},
		{"access-groups", (*bench).byGrants, func(s Sizes) int { return s.GroupClients }, accessSeconds, false, false},
		{"access-jwt-storm", (*bench).storm, func(s Sizes) int { return s.StormClients + s.LatencyClients }, stormSeconds, false, false},
		{"access-reload", (*bench).reload, func(s Sizes) int { return s.GroupClients }, reloadSeconds, false, false},
		{"snapshots", (*bench).snapshots, func(s Sizes) int { return s.SnapshotClients }, snapshotsSeconds, false, false},
		{"history", (*bench).keptHistory, func(s Sizes) int { return s.Clients }, historySeconds, false, false},
		{"commands", (*bench).commands, func(s Sizes) int { return s.Commanders }, commandsSeconds, true, false},
		{"relay", (*bench).relayed, func(s Sizes) int { return 2 * s.Few }, relaySeconds, true, false},
		{"backlog", (*bench).backlog, func(Sizes) int { return 1 }, backlogSeconds, true, false},
		{"roundtrip", (*bench).roundTrip, func(Sizes) int { return 1 }, roundTripSeconds, true, false},
		{"answered", (*bench).answered, func(s Sizes) int { return s.Commanders }, answeredSeconds, true, false},
		{"tls-steady", (*bench).tlsSteady, func(s Sizes) int { return 2 * s.TLSClients }, tlsSteadySeconds, false, false},
		{"tls-burst", (*bench).tlsBurst, func(s Sizes) int { return 2 * s.TLSClients }, tlsBurstSeconds, false, false},
		{"tls-idle", (*bench).tlsIdle, func(s Sizes) int { return s.TLSIdle }, tlsIdleSeconds, false, false},
		{"hundredthousand", (*bench).hundredThousand, func(s Sizes) int { return s.HugeClients / s.HugeBridges }, hugeSeconds, false, true},
	}, neighbourScenarios(), outboundScenarios())
}

// otherFiles is how many open files a process needs besides its clients.
const otherFiles = 64

// Scenarios returns the names of what [Run] can measure, in order.
func Scenarios() []string {
	var names []string
	for _, s := range scenarios() {
		names = append(names, s.name)
	}
	return names
}

// Run measures, prints the table and writes the figures. The error says which scenarios failed: a
// client lost a reply, or got one twice. A missed goal is not an error.
func Run(ctx context.Context, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	chosen, leftOut, err := choose(cfg.Only, cfg.RabbitMQURL != "")
	if err != nil {
		return err
	}
	b := &bench{cfg: cfg, size: cfg.Sizes, proc: procfs{"/proc"}, brokerURL: cfg.BrokerURL, rabbitURL: cfg.RabbitMQURL}
	broker, stopBroker, err := b.startBroker(ctx)
	if err != nil {
		return err
	}
	defer stopBroker()
	for _, url := range []string{cfg.BrokerURL, cfg.RabbitMQURL} {
		if url == "" {
			continue
		}
		// Without them the scenarios fail, and say why.
		if keeper, err := keepExchanges(url); err == nil {
			defer keeper.Close()
		}
	}
	if b.loop, err = newClientLoop(); err != nil {
		return err
	}
	defer b.loop.close()
	b.report = newReport(cfg.Sizes.Rounds, broker)
	b.report.LeftOut = leftOut
	if err := b.measure(ctx, chosen); err != nil {
		return err
	}
	b.report.table(cfg.Stdout)
	var failures []error
	for _, s := range chosen {
		if why := b.report.Failures[s.name]; why != "" {
			failures = append(failures, fmt.Errorf("%s: %s", s.name, why))
		}
	}
	if cfg.JSON != "" {
		failures = append(failures, b.report.save(cfg.JSON))
	}
	return errors.Join(failures...)
}

func (cfg Config) withDefaults() (_ Config, err error) {
	if cfg.RabbitMQURL == "" {
		cfg.RabbitMQURL = cfg.BrokerURL
	}
	if cfg.Sizes == (Sizes{}) {
		cfg.Sizes = FullSizes()
	}
	if cfg.Program == "" {
		if cfg.Program, err = os.Executable(); err != nil {
			return cfg, err
		}
	}
	if cfg.Server == "" {
		cfg.Server = cfg.Program
	}
	return cfg, nil
}

// startBroker starts the embedded broker, unless a RabbitMQ was given, and describes the broker for the report.
func (b *bench) startBroker(ctx context.Context) (name string, stop func(), err error) {
	if b.brokerURL != "" {
		name, stop = "RabbitMQ", func() {}
	} else {
		child, err := startChild("the embedded broker", b.cfg.Program, "bench", "broker")
		if err != nil {
			return "", nil, err
		}
		if b.brokerURL, err = child.address(ctx, "amqp://"); err != nil {
			child.stop()
			return "", nil, err
		}
		name, stop = "embedded broker", child.stop
	}
	if b.rabbitURL != b.brokerURL && b.rabbitURL != "" {
		name += ", or RabbitMQ where it is needed"
	}
	return name, stop, nil
}

// measure runs the scenarios one after the other. After one that fails the others still run; the end of the context ends
// all.
func (b *bench) measure(ctx context.Context, chosen []scenario) error {
	var total float64
	for _, s := range chosen {
		total += s.seconds(b.size)
	}
	b.progress = newProgress(b.cfg.Progress, total)
	defer b.progress.animate()()
	start := time.Now()
	for _, s := range chosen {
		if err := enoughFiles(s.files(b.size) + otherFiles); err != nil {
			b.report.Failures[s.name] = err.Error()
			continue
		}
		rows, err := s.run(b, ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			b.report.Failures[s.name] = err.Error()
		}
		b.report.Rows = append(b.report.Rows, rows...)
	}
	b.report.Took = time.Since(start).Seconds()
	return nil
}

// needRabbitMQ says what is missing for the scenarios that need a RabbitMQ.
const needRabbitMQ = "needs a RabbitMQ; give its address with --rabbitmq-url"

// choose returns the scenarios with these names, in their own order. A name is a scenario's, or the first word of
// several: "neighbours" selects neighbours-resume, neighbours-keywords and so on. Scenarios that cannot run are reported
// as left out; to name one of them is an error.
func choose(names []string, rabbit bool) (chosen []scenario, leftOut []string, err error) {
	for _, name := range names {
		if !slices.ContainsFunc(Scenarios(), func(s string) bool { return selects(name, s) }) {
			return nil, nil, fmt.Errorf("there is no scenario %q; choose from %s", name, strings.Join(Scenarios(), ", "))
		}
	}
	for _, s := range scenarios() {
		switch {
		case len(names) == 0 && s.onRequest:
		case len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return selects(name, s.name) }):
		case !s.needsRabbit || rabbit:
			chosen = append(chosen, s)
		case len(names) > 0:
			return nil, nil, fmt.Errorf("scenario %s %s", s.name, needRabbitMQ)
		default:
			leftOut = append(leftOut, s.name+", which "+needRabbitMQ)
		}
	}
	return chosen, leftOut, nil
}

// selects reports whether a name selects the scenario.
func selects(name, scenario string) bool {
	return scenario == name || strings.HasPrefix(scenario, name+"-")
}

// enoughFiles returns an error unless a process may have n open files. Go raises its own limit as far as it may, and so do
// the children.
func enoughFiles(n int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if uint64(n) > limit.Max {
		return fmt.Errorf("it needs %d open files in one process, and %d are allowed; raise the hard limit (ulimit -Hn)", n, limit.Max)
	}
	return nil
}

// alternate runs both once in each round, and swaps their order each time.
func alternate(rounds int, reference, server func() error) error {
	for i := range rounds {
		first, second := reference, server
		if i%2 == 1 {
			first, second = server, reference
		}
		if err := first(); err != nil {
			return err
		}
		if err := second(); err != nil {
			return err
		}
	}
	return nil
}
