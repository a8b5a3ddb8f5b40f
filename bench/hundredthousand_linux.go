package bench

import (
	"context"
	"fmt"
	"time"
)

const (
	// hugeTimeout is how long the whole scenario may take.
	hugeTimeout = 3 * time.Minute
	// hugeLatencyGoal is the goal for the time until the last client has a reply, in milliseconds.
	hugeLatencyGoal = 1000
	// bridgeFiles is how many open files a bridge needs besides its clients.
	bridgeFiles = 128
	// hugeShedRate is how many clients a second each bridge disconnects while it drains.
	hugeShedRate = 2000
	// pollEvery is how often clients are counted while the scenario waits for them.
	pollEvery = 20 * time.Millisecond
)

// hugeRun is a run with very many clients of several bridges that share a port and an exchange.
type hugeRun struct {
	*bench
	bridges []*target
	workers []*child
}

// hundredThousand connects more clients than a process may have open files, and publishes a reply each interval to all of
// them. Then one bridge is killed, whose clients reconnect to the others, and finally all bridges drain.
func (b *bench) hundredThousand(ctx context.Context) ([]Row, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, hugeTimeout, fmt.Errorf("not done within %v", hugeTimeout))
	defer cancel()
	h := &hugeRun{bench: b}
	defer h.stop()
	n := b.size.HugeClients
	h.begin(fmt.Sprintf("starting the processes for %s clients", grouped(n)), hugeStartTime)
	err := h.start(ctx)
	if err != nil {
		return nil, err
	}
	var f hugeFigures
	if f.memory, f.connects, err = h.connectAll(ctx); err != nil {
		return nil, err
	}
	h.begin("a reply each interval", h.replySeconds())
	if f.all, err = h.publishToAll(ctx, n, h.size.HugeReplies); err != nil {
		return nil, err
	}
	if f.reconnected, err = h.killOne(ctx); err != nil {
		return nil, fmt.Errorf("after a bridge was killed: %w", err)
	}
	if f.again, err = h.publishToAll(ctx, n, h.size.HugeReplies); err != nil {
		return nil, fmt.Errorf("after all clients had reconnected: %w", err)
	}
	if f.drained, err = h.drain(ctx); err != nil {
		return nil, fmt.Errorf("draining: %w", err)
	}
	return f.rows(n, len(h.bridges)), nil
}

// connectAll connects all clients. It returns the memory for each of them in bytes, and the connections a second.
func (h *hugeRun) connectAll(ctx context.Context) (memory, connects float64, err error) {
	n := h.size.HugeClients
	// The memory that a process needs once for all its clients is not counted.
	few := max(len(h.workers), n/100)
	if err := h.connect(ctx, 0, few); err != nil {
		return 0, 0, err
	}
	if _, err := h.publishToAll(ctx, few, 1); err != nil {
		return 0, 0, err
	}
	before, err := h.memory(ctx)
	if err != nil {
		return 0, 0, err
	}
	h.begin(fmt.Sprintf("connecting %s clients", grouped(n)), 2*connectTime(n))
	start := time.Now()
	if err := h.connect(ctx, few, n); err != nil {
		return 0, 0, err
	}
	took := time.Since(start)
	if _, err := h.publishToAll(ctx, n, 1); err != nil {
		return 0, 0, err
	}
	after, err := h.memory(ctx)
	return float64(after-before) / float64(n-few), float64(n-few) / took.Seconds(), err
}

// hugeFigures is what a run measured.
type hugeFigures struct {
	memory      float64       // of the processes for each client, in bytes
	connects    float64       // new connections a second
	all, again  *hugeRound    // with all bridges, and after one was killed
	reconnected time.Duration // until the clients of the killed bridge were connected again
	drained     time.Duration // until the last client was disconnected
}

func (f *hugeFigures) rows(clients, bridges int) []Row {
	what := fmt.Sprintf("%s clients of %d bridges", grouped(clients), bridges)
	line := func(name, unit string, value float64) Row {
		return row("hundredthousand", name+", "+what, unit, []float64{value}, "", nil, limit{by: Informational})
	}
	latest := row("hundredthousand", "the last client has a reply, "+what, "ms", f.all.latest, "", nil, limit{by: Value, bound: hugeLatencyGoal})
	latest.Note = fmt.Sprintf("%d replies, none lost or duplicated; the slowest took %s, and %s with one bridge less",
		len(f.all.latest), figure(percentile(f.all.latest, 100), "ms"), figure(percentile(f.again.latest, 100), "ms"))
	memory := row("hundredthousand", "memory of the processes per client, "+what, "B", []float64{f.memory}, "", nil, limit{by: Value, bound: idleBytes})
	return []Row{
		latest,
		memory,
		line("CPU per delivery", "us", f.all.cpu),
		line("new connections", "/s", f.connects),
		line("clients of a killed bridge have reconnected", "s", f.reconnected.Seconds()),
		line("all are disconnected by SIGTERM", "s", f.drained.Seconds()),
	}
}

const hugeStartTime = 2.0

func (h *hugeRun) replySeconds() float64 {
	return (time.Duration(h.size.HugeReplies) * h.size.HugeEvery).Seconds()
}

func hugeSeconds(s Sizes) float64 {
	replying := (time.Duration(s.HugeReplies) * s.HugeEvery).Seconds()
	return hugeStartTime + 4*connectTime(s.HugeClients) + 3*replying + float64(s.HugeClients)/float64(hugeShedRate*s.HugeBridges)
}

func (h *hugeRun) begin(what string, seconds float64) {
	h.progress.begin("hundredthousand", what, seconds)
}
