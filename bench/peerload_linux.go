package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// peerPatience is how long the last reply of a peer's round may take. A peer that drops replies is not waited for any
// longer; those that are missing are counted.
const peerPatience = 15 * time.Second

// settle waits until a peer's processes take less than a twentieth of a processor, so that none works in the turn of the
// next. It gives up after a while.
func (r *peersRun) settle(ctx context.Context, t *peerTurn) error {
	const step, longest = 100 * time.Millisecond, 15 * time.Second
	var last time.Duration
	for start := time.Now(); time.Since(start) < longest; {
		pids, err := r.processes(t.runningPeer)
		if err != nil {
			return err
		}
		used, err := r.cpuOf(pids)
		if err != nil {
			return err
		}
		if last > 0 && used-last < step/20 {
			return nil
		}
		last = used
		if err := sleep(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// idleClients measures how much the peer's memory grows with clients that do nothing.
func (r *peersRun) idleClients(ctx context.Context, t *peerTurn) error {
	set, err := r.peerClients(ctx, t.runningPeer, r.size.IdleFrom)
	if err != nil {
		return err
	}
	defer set.disconnect()
	before, err := r.settledMemory(ctx, t, set)
	if err != nil {
		return err
	}
	if _, err := set.connect(ctx, r.size.IdleTo-r.size.IdleFrom); err != nil {
		return err
	}
	after, err := r.settledMemory(ctx, t, set)
	if err != nil {
		return err
	}
	t.result.Idle = float64(after-before) / float64(r.size.IdleTo-r.size.IdleFrom)
	return nil
}

// settledMemory sends all clients a reply, which shows that they are connected, and reads the memory a while later.
func (r *peersRun) settledMemory(ctx context.Context, t *peerTurn, set *clientSet) (int64, error) {
	if _, err := r.peerRound(ctx, t, set, round{count: 1}); err != nil {
		return 0, err
	}
	if err := sleep(ctx, r.size.Settle); err != nil {
		return 0, err
	}
	// What is behind the peer does not know these clients.
	pids, err := r.proc.descendants([]int{t.pid})
	if err != nil {
		return 0, err
	}
	return r.rssOf(pids)
}

// load measures replies one at a time, and at once.
func (r *peersRun) load(ctx context.Context, t *peerTurn, i int, load PeerLoad) error {
	t.topics = load.Topics
	set, err := r.peerClients(ctx, t.runningPeer, load.Clients)
	if err != nil {
		return err
	}
	defer set.disconnect()
	if err := r.settle(ctx, t); err != nil {
		return err
	}
	steady := round{count: load.Steady, every: load.Every, timed: true}
	if _, err := r.peerRound(ctx, t, set, round{count: min(3, load.Steady), every: load.Every}); err != nil {
		return err
	}
	one, err := r.peerRound(ctx, t, set, steady)
	if err != nil {
		return err
	}
	all, err := r.peerRound(ctx, t, set, round{count: load.Burst})
	if err != nil {
		return err
	}
	pids, err := r.proc.descendants([]int{t.pid})
	if err != nil {
		return err
	}
	rss, err := r.rssOf(pids)
	if err != nil {
		return err
	}
	for len(t.result.Loads) <= i {
		t.result.Loads = append(t.result.Loads, LoadFigures{Clients: load.Clients, Topics: load.Topics, PerSecond: 1 / load.Every.Seconds(), Burst: load.Burst})
	}
	t.note(&t.result.Loads[i], one, all, rss)
	return nil
}

// note adds the figures of a turn.
func (t *peerTurn) note(f *LoadFigures, one, all *roundResult, rss int64) {
	f.SteadyCPU = append(f.SteadyCPU, one.perDelivery())
	if len(t.behind) > 0 {
		f.OwnCPU = append(f.OwnCPU, float64(one.Own)/float64(time.Microsecond)/float64(one.Replies))
	}
	switch t.source.(type) {
	case viaPipe, viaPipeByTopic: // a bare loop has its own clock
	default:
		f.P50 = append(f.P50, float64(percentile(one.Latency, 50))/1e6)
		f.P99 = append(f.P99, float64(percentile(one.Latency, 99))/1e6)
	}
	f.BurstCPU = append(f.BurstCPU, all.perDelivery())
	f.Rate = append(f.Rate, all.rate())
	f.RSS = append(f.RSS, float64(rss))
}

// peerRound runs a round on a peer. Replies that are missing are no error, but wrong ones and lost connections are.
func (r *peersRun) peerRound(ctx context.Context, t *peerTurn, set *clientSet, round round) (*roundResult, error) {
	first := t.next
	t.next += uint64(round.count)
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(round.count)*round.every+2*peerPatience, fmt.Errorf("it did not end within %v", 2*peerPatience))
	defer cancel()
	if err := t.source.prepare(ctx, first, round.count); err != nil {
		return nil, err
	}
	var sent []atomic.Int64
	if round.timed {
		sent = make([]atomic.Int64, round.count)
	}
	set.expect(first, round.count, sent)
	before, ownBefore, err := r.peerUsage(t)
	if err != nil {
		return nil, err
	}
	start := r.loop.clock()
	if err := t.source.send(ctx, round.every, sent); err != nil {
		return nil, err
	}
	a, err := set.await(ctx, peerPatience)
	if err != nil {
		return nil, err
	}
	if a.Incomplete > 0 {
		a.At = r.loop.clock()
	}
	// A process is billed for a turn on the processor when it ends.
	if err := sleep(ctx, 20*time.Millisecond); err != nil {
		return nil, err
	}
	after, ownAfter, err := r.peerUsage(t)
	if err != nil {
		return nil, err
	}
	t.result.Lost += deliveries(first, round.count, a.Clients, t.topics) - a.Replies
	if a.Faults.Duplicated+a.Faults.OutOfOrder+a.Faults.Misrouted > 0 || len(a.Ended) > 0 || a.Replies == 0 {
		return nil, fmt.Errorf("%d replies, %v; %s", a.Replies, a.Faults, describeDisconnects(a.Ended))
	}
	return &roundResult{receiveResult: a, CPU: after - before, Own: ownAfter - ownBefore, Wall: time.Duration(a.At - start)}, nil
}

// deliveries returns how often replies from a number on are delivered, if clients and replies are spread over topics.
func deliveries(first uint64, count, clients, topics int) (n int) {
	topics = max(topics, 1)
	for i := range uint64(count) {
		topic := int((first + i) % uint64(topics))
		n += (clients + topics - 1 - topic) / topics
	}
	return n
}

// peerUsage returns the CPU time that a peer and what is behind it have used, and the peer's own part.
func (r *peersRun) peerUsage(t *peerTurn) (all, own time.Duration, err error) {
	pids, err := r.processes(t.runningPeer)
	if err != nil {
		return 0, 0, err
	}
	if all, err = r.cpuOf(pids); err != nil {
		return 0, 0, err
	}
	if pids, err = r.proc.descendants([]int{t.pid}); err != nil {
		return 0, 0, err
	}
	own, err = r.cpuOf(pids)
	return all, own, err
}
