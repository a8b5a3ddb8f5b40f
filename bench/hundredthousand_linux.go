package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// hugeTimeout is how long the whole scenario may take.
	hugeTimeout = 3 * time.Minute
	// hugeLatencyGoal is when the last client must have a reply, in milliseconds.
	hugeLatencyGoal = 1000
	// bridgeFiles is how many files a bridge keeps for other things than clients.
	bridgeFiles = 128
	// hugeShedRate is how many clients a second each bridge disconnects when it drains.
	hugeShedRate = 2000
	// pollEvery is how often the clients are counted while something is waited for.
	pollEvery = 20 * time.Millisecond
)

// hugeRun is very many clients of several bridges that share a port and an exchange.
type hugeRun struct {
	*bench
	bridges []*target
	workers []*child
}

// hundredThousand connects more clients than a process may have files, and tells all of
// them a reply each interval. Then one bridge is killed, whose clients come back to the
// others, and at last all bridges drain.
func (b *bench) hundredThousand(ctx context.Context) (rows []Row, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, hugeTimeout, fmt.Errorf("not done within %v", hugeTimeout))
	defer cancel()
	h := &hugeRun{bench: b}
	defer h.stop()
	n := b.size.HugeClients
	h.begin(fmt.Sprintf("starting the processes for %s clients", grouped(n)), hugeStartTime)
	if err := h.start(ctx); err != nil {
		return nil, err
	}
	// What a process takes once for all its clients is not theirs.
	few := max(len(h.workers), n/100)
	if err := h.connect(ctx, 0, few); err != nil {
		return nil, err
	}
	if _, err := h.publishToAll(ctx, few, 1); err != nil {
		return nil, err
	}
	before, err := h.memory(ctx)
	if err != nil {
		return nil, err
	}
	h.begin(fmt.Sprintf("connecting %s clients", grouped(n)), 2*connectTime(n))
	start := time.Now()
	if err := h.connect(ctx, few, n); err != nil {
		return nil, err
	}
	connected := time.Since(start)
	if _, err := h.publishToAll(ctx, n, 1); err != nil {
		return nil, err
	}
	after, err := h.memory(ctx)
	if err != nil {
		return nil, err
	}
	h.begin("a reply each interval", h.replySeconds())
	all, err := h.publishToAll(ctx, n, h.size.HugeReplies)
	if err != nil {
		return nil, err
	}
	back, err := h.killOne(ctx)
	if err != nil {
		return nil, fmt.Errorf("after a bridge was killed: %w", err)
	}
	again, err := h.publishToAll(ctx, n, h.size.HugeReplies)
	if err != nil {
		return nil, fmt.Errorf("when all clients were back: %w", err)
	}
	drained, err := h.drain(ctx)
	if err != nil {
		return nil, fmt.Errorf("draining: %w", err)
	}
	what := fmt.Sprintf("%s clients of %d bridges", grouped(n), len(h.bridges))
	line := func(name, unit string, value float64) Row {
		return row("hundredthousand", name+", "+what, unit, []float64{value}, "", nil, limit{by: Informational})
	}
	latest := row("hundredthousand", "the last has a reply, "+what, "ms", all.latest, "", nil, limit{by: Value, bound: hugeLatencyGoal})
	latest.Note = fmt.Sprintf("%d replies, none lost or doubled; the slowest took %s, and %s with one bridge less",
		len(all.latest), figure(percentile(all.latest, 100), "ms"), figure(percentile(again.latest, 100), "ms"))
	return []Row{
		latest,
		row("hundredthousand", "memory of the processes for a client, "+what, "B", []float64{float64(after-before) / float64(n-few)}, "", nil,
			limit{by: Value, bound: idleBytes}),
		line("CPU per delivery", "us", all.cpu),
		line("new connections", "/s", float64(n-few)/connected.Seconds()),
		line("clients of a killed bridge are back", "s", back.Seconds()),
		line("all are disconnected by SIGTERM", "s", drained.Seconds()),
	}, nil
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

// bridgesFor is how many bridges hold so many clients even when one of them is killed.
func bridgesFor(clients, atLeast int) (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	room := int(min(limit.Max, 1<<30)) - bridgeFiles
	// The system deals clients out by chance: nobody gets exactly his part.
	room -= room / 50
	if room < 1 {
		return 0, fmt.Errorf("%d open files are too few", limit.Max)
	}
	return max(atLeast, (clients+room-1)/room+1), nil
}

func (h *hugeRun) start(ctx context.Context) error {
	n, err := bridgesFor(h.size.HugeClients, h.size.HugeBridges)
	if err != nil {
		return err
	}
	port := "0"
	for range n {
		t, err := h.serverAt(ctx, h.brokerURL, "--port", port, "--reuse-port", "--shed-rate", strconv.Itoa(hugeShedRate))
		if err != nil {
			return err
		}
		h.bridges = append(h.bridges, t)
		port = strconv.Itoa(int(t.addr.Port()))
	}
	share := (h.size.HugeClients + n - 1) / n
	for i := range n {
		c, err := startChild("a holder of clients", h.cfg.Program, "bench", "worker", h.bridges[0].addr.String(), strconv.Itoa(i*share))
		if err != nil {
			return err
		}
		h.workers = append(h.workers, c)
	}
	return nil
}

func (h *hugeRun) stop() {
	for _, c := range h.workers {
		c.stop()
	}
	for _, t := range h.bridges {
		t.stop()
	}
}

// memory is the RSS of all bridges when they have been at rest for a while.
func (h *hugeRun) memory(ctx context.Context) (sum int64, err error) {
	select {
	case <-time.After(h.size.Settle):
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	for _, t := range h.bridges {
		rss, err := h.proc.rss(t.pid)
		if err != nil {
			return 0, err
		}
		sum += rss
	}
	return sum, nil
}

// command gives a command to each holder, and sums up the answers.
func (h *hugeRun) command(ctx context.Context, command func(i int) string) (*workerStatus, error) {
	for i, c := range h.workers {
		if _, err := fmt.Fprintln(c.stdin, command(i)); err != nil {
			return nil, fmt.Errorf("%s: %w; the end of its log:\n%s", c.name, err, c.tail)
		}
	}
	sum := &workerStatus{Ended: map[string]int{}}
	for _, c := range h.workers {
		line, err := c.line(ctx)
		if err != nil {
			return nil, err
		}
		var part workerStatus
		if err := json.Unmarshal([]byte(line), &part); err != nil {
			return nil, fmt.Errorf("%s says %q: %w", c.name, line, err)
		}
		sum.add(&part)
	}
	return sum, nil
}

func (h *hugeRun) commandAll(ctx context.Context, format string, values ...any) (*workerStatus, error) {
	return h.command(ctx, func(int) string { return fmt.Sprintf(format, values...) })
}

// connect brings the number of clients from one to another.
func (h *hugeRun) connect(ctx context.Context, from, to int) error {
	parts := len(h.workers)
	of := func(i int) int { return from + (to-from)*i/parts }
	state, err := h.command(ctx, func(i int) string { return fmt.Sprintf("connect %d", of(i+1)-of(i)) })
	if err == nil && state.Open != to {
		err = fmt.Errorf("%d of %d clients are connected", state.Open, to)
	}
	return err
}

// hugeRound is what became of the replies of a round.
type hugeRound struct {
	*workerStatus
	latest []float64 // when the last client had each reply, in milliseconds since it was said
	cpu    float64   // microseconds of all bridges for each delivery
}

// complete is an error unless so many clients had every reply once.
func (a *hugeRound) complete(clients int) error {
	switch {
	case a.Faults != (Faults{}):
		return errors.New(a.Faults.String())
	case len(a.Ended) > 0:
		return errors.New(describeDisconnects(a.Ended))
	case a.Incomplete > 0 || a.Open != clients || a.Replies != clients*len(a.latest):
		return fmt.Errorf("%d of %d clients are there, %d are behind, and %d replies came", a.Open, clients, a.Incomplete, a.Replies)
	}
	return nil
}

// publishToAll publishes replies, and is an error unless all clients had each of them once.
func (h *hugeRun) publishToAll(ctx context.Context, clients, count int) (*hugeRound, error) {
	a, err := h.publish(ctx, count, func() error { return nil })
	if err == nil {
		err = a.complete(clients)
	}
	return a, err
}

// publish publishes a reply each interval. Meanwhile it does what is to be done.
func (h *hugeRun) publish(ctx context.Context, count int, meanwhile func() error) (*hugeRound, error) {
	first := h.bridges[0].next
	h.bridges[0].next += uint64(count)
	// The first bridge may be killed, but not its publisher.
	p := h.bridges[0].source.(viaBroker).publisher
	p.prepare(first, count)
	if _, err := h.commandAll(ctx, "expect %d %d", first, count); err != nil {
		return nil, err
	}
	before, err := h.cpu()
	if err != nil {
		return nil, err
	}
	sent := make([]atomic.Int64, count)
	published := make(chan error, 1)
	go func() { published <- p.publishAll(ctx, h.size.HugeEvery, sent, monotonic) }()
	err = errors.Join(meanwhile(), <-published)
	if err != nil {
		return nil, err
	}
	state, err := h.commandAll(ctx, "await %d", patience.Milliseconds())
	if err != nil {
		return nil, err
	}
	after, err := h.cpu()
	if err != nil {
		return nil, err
	}
	a := &hugeRound{workerStatus: state, cpu: float64((after - before).Nanoseconds()) / 1e3 / float64(state.Replies)}
	for i, at := range state.Last {
		a.latest = append(a.latest, float64(at-sent[i].Load())/1e6)
	}
	return a, nil
}

// cpu is what all bridges that live have used.
func (h *hugeRun) cpu() (sum time.Duration, err error) {
	for _, t := range h.bridges {
		select {
		case <-t.done:
			continue
		default:
		}
		used, err := h.proc.cpu(t.pid)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// killOne kills a bridge amid replies, and gives the time until all its clients are
// connected again. Those of the others must not notice.
func (h *hugeRun) killOne(ctx context.Context) (back time.Duration, err error) {
	h.begin("one bridge is killed", h.replySeconds())
	victim := h.bridges[len(h.bridges)-1]
	its, err := h.proc.connections(victim.pid, int(victim.addr.Port()))
	if err != nil {
		return 0, err
	}
	if _, err := h.commandAll(ctx, "recover"); err != nil {
		return 0, err
	}
	during, err := h.publish(ctx, h.size.HugeReplies, func() error {
		killed := time.Now()
		victim.child.stop() // SIGKILL
		for {
			state, err := h.commandAll(ctx, "count")
			if err != nil {
				return err
			}
			if state.Lost >= its && state.Open == h.size.HugeClients {
				back = time.Since(killed)
				return nil
			}
			select {
			case <-time.After(pollEvery):
			case <-ctx.Done():
				return fmt.Errorf("%d clients of %d are connected: %w", state.Open, h.size.HugeClients, context.Cause(ctx))
			}
		}
	})
	switch {
	case err != nil:
		return 0, err
	case during.Faults != (Faults{}):
		return 0, errors.New(during.Faults.String())
	case during.Incomplete != during.Disconnected || during.Lost != its:
		return 0, fmt.Errorf("%d clients are behind, of which %d are gone; the killed bridge had %d; %s",
			during.Incomplete, during.Disconnected, its, describeDisconnects(during.Ended))
	}
	return back, nil
}

// drain ends the bridges, and gives the time until the last client was told to go.
func (h *hugeRun) drain(ctx context.Context) (time.Duration, error) {
	h.begin("all bridges drain", float64(h.size.HugeClients)/float64(hugeShedRate*len(h.bridges)))
	// Nobody comes back any more.
	if _, err := h.commandAll(ctx, "settle"); err != nil {
		return 0, err
	}
	start := time.Now()
	for _, t := range h.bridges {
		select {
		case <-t.done:
			continue
		default:
		}
		if err := syscall.Kill(t.pid, syscall.SIGTERM); err != nil {
			return 0, err
		}
	}
	for {
		state, err := h.commandAll(ctx, "count")
		if err != nil {
			return 0, err
		}
		if state.Open == 0 {
			for why := range state.Ended {
				if !strings.HasPrefix(why, "closed with 1001") {
					return 0, errors.New(describeDisconnects(state.Ended))
				}
			}
			break
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return 0, fmt.Errorf("%d clients are still connected: %w", state.Open, context.Cause(ctx))
		}
	}
	took := time.Since(start)
	for _, t := range h.bridges {
		select {
		case <-t.done:
		case <-ctx.Done():
			return 0, fmt.Errorf("%s has not ended: %w", t.name, context.Cause(ctx))
		}
	}
	return took, nil
}
