package bench

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// target is a process that sends replies to clients.
type target struct {
	*child
	addr   netip.AddrPort
	tls    bool // clients connect over TLS
	source source
	next   uint64 // the number of the next reply
}

// source makes a target send replies to its clients.
type source interface {
	// prepare makes the replies, before anything is timed.
	prepare(ctx context.Context, first uint64, count int) error
	// send sends them, one each interval, or all at once.
	send(ctx context.Context, every time.Duration, sent []atomic.Int64) error
	close()
}

// viaBroker is the source of a bridge.
type viaBroker struct {
	*publisher
	clock func() int64
}

func (v viaBroker) prepare(_ context.Context, first uint64, count int) error {
	v.publisher.prepare(first, count)
	return nil
}

func (v viaBroker) send(ctx context.Context, every time.Duration, sent []atomic.Int64) error {
	return v.publisher.publishAll(ctx, every, sent, v.clock)
}

// viaPipe is the source of a baseline, which has its own frames and clock.
type viaPipe struct {
	*child
	coalesced bool
}

func (v viaPipe) prepare(ctx context.Context, first uint64, count int) error {
	return v.request(ctx, fmt.Sprintf("prepare %d %d %t", first, count, v.coalesced))
}

func (v viaPipe) send(ctx context.Context, every time.Duration, _ []atomic.Int64) error {
	return v.request(ctx, fmt.Sprintf("write %v", every))
}

func (v viaPipe) request(ctx context.Context, command string) error {
	if _, err := fmt.Fprintln(v.stdin, command); err != nil {
		return fmt.Errorf("%s: %w; the end of its log:\n%s", v.name, err, v.tail)
	}
	_, err := v.line(ctx)
	return err
}

func (viaPipe) close() {}

// viaPipeByTopic spreads the frames over the topics of a peer.
type viaPipeByTopic struct {
	viaPipe
	peer *runningPeer
}

func (v viaPipeByTopic) prepare(ctx context.Context, first uint64, count int) error {
	if err := v.request(ctx, fmt.Sprintf("topics %d", max(v.peer.topics, 1))); err != nil {
		return err
	}
	return v.viaPipe.prepare(ctx, first, count)
}

// server starts a bridge that is linked to the broker.
func (b *bench) server(ctx context.Context) (*target, error) { return b.serverAt(ctx, b.brokerURL) }

// serverAt starts a bridge that is linked to the broker at the URL, with more flags.
func (b *bench) serverAt(ctx context.Context, url string, flags ...string) (*target, error) {
	t, err := b.serverWithoutSource(ctx, url, flags...)
	if err != nil {
		return nil, err
	}
	p, err := newPublisher(url, exchange)
	if err != nil {
		t.stop()
		return nil, err
	}
	t.source = viaBroker{p, b.loop.clock}
	return t, nil
}

// serverWithoutSource starts such a bridge, to which nothing is published yet.
func (b *bench) serverWithoutSource(ctx context.Context, url string, flags ...string) (*target, error) {
	args := slices.Concat([]string{"websocket", "--host", "127.0.0.1", "--port", "0", "--url", url,
		"--exchange", exchange, "--log-level", "warn"}, flags, b.cfg.ServerArgs)
	return b.target(ctx, "clu-ws websocket", b.cfg.Server, args)
}

// startBaseline starts a baseline.
func (b *bench) startBaseline(ctx context.Context, coalesced bool) (*target, error) {
	t, err := b.target(ctx, "the baseline", b.cfg.Program, []string{"bench", "baseline"})
	if err != nil {
		return nil, err
	}
	t.source = viaPipe{t.child, coalesced}
	return t, nil
}

// pair starts a bridge and a baseline.
func (b *bench) pair(ctx context.Context, coalesced bool) (server, baseline *target, err error) {
	if server, err = b.server(ctx); err != nil {
		return nil, nil, err
	}
	if baseline, err = b.startBaseline(ctx, coalesced); err != nil {
		server.stop()
		return nil, nil, err
	}
	return server, baseline, nil
}

func (b *bench) target(ctx context.Context, name, program string, args []string) (*target, error) {
	c, err := startChild(name, program, args...)
	if err != nil {
		return nil, err
	}
	secure, scheme := slices.Contains(args, "--tls-cert"), "ws://"
	if secure {
		scheme = "wss://"
	}
	url, err := c.address(ctx, scheme)
	if err != nil {
		c.stop()
		return nil, err
	}
	addr, err := netip.ParseAddrPort(strings.TrimPrefix(url, scheme))
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("%s listens at %q: %w", name, url, err)
	}
	return &target{child: c, addr: addr, tls: secure, next: firstNumber}, nil
}

func (t *target) stop() {
	if t.source != nil {
		t.source.close()
	}
	t.child.stop()
}

// clients connects clients, of which the first smallBuffers can be paused later.
func (b *bench) clients(ctx context.Context, t *target, n, smallBuffers int) (*clientSet, error) {
	return b.clientsAt(ctx, t, "/", n, smallBuffers)
}

// clientsAt connects clients to a path, over TLS if the target has it.
func (b *bench) clientsAt(ctx context.Context, t *target, path string, n, smallBuffers int) (*clientSet, error) {
	set := newClientSet(b.loop, dialer{to: t.addr, path: path, host: t.addr.String(), smallBuffers: smallBuffers})
	var err error
	if t.tls {
		err = set.connectTLS(ctx, n)
	} else {
		_, err = set.connect(ctx, n)
	}
	if err != nil {
		set.disconnect()
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	return set, nil
}

// atRest waits until a target's threads are off the processor, so that their time is known. It gives up after a while: the
// time of a target that never rests is counted as it is.
func (b *bench) atRest(ctx context.Context, t *target) error {
	const step, patience = 25 * time.Millisecond, 5 * time.Second
	last := time.Duration(-1)
	for start := time.Now(); time.Since(start) < patience; {
		used, err := b.proc.cpu(t.pid)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if used-last < step/50 {
			return nil
		}
		last = used
		select {
		case <-time.After(step):
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.done:
			return fmt.Errorf("%s has ended; the end of its log:\n%s", t.name, t.tail)
		}
	}
	return nil
}
