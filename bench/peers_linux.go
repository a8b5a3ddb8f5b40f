package bench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// peersRun is a run of [Peers].
type peersRun struct {
	*bench
	cfg              PeersConfig
	size             PeerSizes
	embedded, rabbit *child
	redis            *runningPeer
	running          []*peerTurn
}

// peerTurn is a peer and its result.
type peerTurn struct {
	peer
	*runningPeer
	result *PeerResult
}

// Peers measures the bridge and other servers with the same clients, the same messages and the same pace, in turns.
func Peers(ctx context.Context, cfg PeersConfig) (*PeersReport, error) {
	if cfg.Sizes.Rounds == 0 {
		cfg.Sizes = FullPeerSizes()
	}
	chosen, err := choosePeers(cfg.Only)
	if err != nil {
		return nil, err
	}
	r := &peersRun{bench: &bench{proc: procfs{"/proc"}}, cfg: cfg, size: cfg.Sizes}
	r.bench.cfg = Config{Program: cfg.Program, Server: cfg.Program, CLU: cfg.CLU}
	for _, load := range r.size.Loads {
		if err := enoughFiles(load.Clients + otherFiles); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, r.size.Longest, errOutOfTime)
	defer cancel()
	defer r.stop()
	if err := r.start(ctx, chosen); err != nil {
		return nil, err
	}
	err = r.measure(ctx)
	if err != nil && !errors.Is(err, errOutOfTime) {
		return nil, err
	}
	report := &PeersReport{Time: start.UTC().Truncate(time.Second), CPUs: runtime.NumCPU(), Rounds: r.size.Rounds, Versions: cfg.Versions, Cut: err != nil}
	for _, t := range r.running {
		report.Peers = append(report.Peers, *t.result)
	}
	report.Took = time.Since(start).Round(time.Second / 10).Seconds()
	return report, nil
}

var errOutOfTime = errors.New("there was no more time")

func choosePeers(only []string) (chosen []peer, err error) {
	var names []string
	for _, p := range peers() {
		if names = append(names, p.name); len(only) == 0 || slices.Contains(only, p.name) {
			chosen = append(chosen, p)
		}
	}
	for _, name := range only {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no peer %q; choose from %q", name, names)
		}
	}
	return chosen, nil
}

// start starts the brokers and all peers.
func (r *peersRun) start(ctx context.Context, chosen []peer) (err error) {
	if r.loop, err = newClientLoop(); err != nil {
		return err
	}
	if err := r.startBrokers(ctx); err != nil {
		return fmt.Errorf("no broker: %w", err)
	}
	return r.startPeers(ctx, chosen)
}

// startPeers starts all peers. One that cannot be started is left out.
func (r *peersRun) startPeers(ctx context.Context, chosen []peer) (err error) {
	for _, p := range chosen {
		t := &peerTurn{peer: p, result: &PeerResult{Name: p.name}}
		r.running = append(r.running, t)
		if t.runningPeer, err = p.start(r, ctx); err != nil {
			t.result.Missing = err.Error()
			r.say("left out %s: %v", p.name, err)
		}
	}
	return context.Cause(ctx)
}

func (r *peersRun) startBrokers(ctx context.Context) (err error) {
	if len(r.cfg.RabbitMQ) == 0 {
		if r.embedded, err = startChild("the embedded broker", r.cfg.Program, "bench", "broker"); err != nil {
			return err
		}
		r.brokerURL, err = r.embedded.address(ctx, "amqp://")
		return err
	}
	r.rabbit, r.rabbitURL, _, err = r.startRabbitMQ(ctx)
	return err
}

// rabbitPorts are the ports of a RabbitMQ's protocols for browsers.
type rabbitPorts struct{ stomp, mqtt int }

func (r *peersRun) startRabbitMQ(ctx context.Context) (c *child, url string, ports rabbitPorts, err error) {
	if ports.stomp, err = freePort(); err != nil {
		return nil, "", ports, err
	}
	if ports.mqtt, err = freePort(); err != nil {
		return nil, "", ports, err
	}
	args := append(slices.Clone(r.cfg.RabbitMQ[1:]), fmt.Sprint(ports.stomp), fmt.Sprint(ports.mqtt))
	if c, err = startChild("RabbitMQ", r.cfg.RabbitMQ[0], args...); err != nil {
		return nil, "", ports, err
	}
	if url, err = c.address(ctx, "amqp://"); err != nil {
		c.stopGently(startTimeout)
	}
	return c, url, ports, err
}

// stop ends everything that was started.
func (r *peersRun) stop() {
	for _, t := range r.running {
		if t.runningPeer != nil {
			t.end()
		}
	}
	if r.redis != nil {
		r.redis.end()
	}
	if r.embedded != nil {
		r.embedded.stop()
	}
	if r.rabbit != nil {
		r.rabbit.stopGently(startTimeout)
	}
	if r.loop != nil {
		r.loop.close()
	}
}

// measure has all peers take turns: their memory first, while they are fresh, then commands, then the loads.
func (r *peersRun) measure(ctx context.Context) error {
	if err := r.turns(ctx, "idle clients", 0, r.idleClients); err != nil {
		return err
	}
	if err := r.turns(ctx, "round trips", 0, r.roundTrips); err != nil {
		return err
	}
	return r.measureLoads(ctx)
}

func (r *peersRun) measureLoads(ctx context.Context) error {
	for i := range r.size.Rounds {
		for l, load := range r.size.Loads {
			what := fmt.Sprintf("%d clients, round %d of %d", load.Clients, i+1, r.size.Rounds)
			do := func(ctx context.Context, t *peerTurn) error { return r.load(ctx, t, l, load) }
			if err := r.turns(ctx, what, i, do); err != nil {
				return err
			}
		}
	}
	return nil
}

// turns has each peer take a turn. One that fails takes no further turns.
func (r *peersRun) turns(ctx context.Context, what string, round int, do func(context.Context, *peerTurn) error) error {
	for n := range r.running {
		t := r.running[(n+round)%len(r.running)] // none is always the first
		if t.runningPeer == nil || t.result.Missing != "" {
			continue
		}
		r.say("%s: %s", what, t.peer.name)
		err := do(ctx, t)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			t.result.Missing = fmt.Sprintf("%s: %v", what, err)
			r.say("%s: %s", t.peer.name, t.result.Missing)
		}
		if err := r.settle(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (r *peersRun) say(format string, args ...any) {
	if r.cfg.Progress != nil {
		fmt.Fprintf(r.cfg.Progress, format+"\n", args...)
	}
}

// files returns how many files a peer may open.
func (r *peersRun) files() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return int(min(limit.Max, 1<<17))
}

// mustAddr parses an address that this program has made.
func mustAddr(addr string) netip.AddrPort { return netip.MustParseAddrPort(addr) }
