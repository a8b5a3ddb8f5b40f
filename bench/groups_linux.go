package bench

import (
	"context"
	"fmt"
	"time"
)

// Groups of clients with equal subscriptions, each of which selects one sender. Every reply is for one group. The
// reference is the same number of deliveries to clients of one group, in two ways:
//
//   - as many clients, all of one group, and fewer replies, which all of them get: each client gets as much,
//   - the same clients, while all replies come from the sender of one group. This is the same work for the bridge, but
//     less for the kernel: a socket that gets a thousand replies a second is in its caches, and its reader is awake.

// groupsGoal is the goal for the ratio of a delivery's cost with groups.
const groupsGoal = 1.3

// userPart is the row of the time in user mode, which is sampled at clock ticks.
const userPart = "the part of it in user mode"

// senderOf returns the sender that the i-th group selects.
func senderOf(i int) string { return fmt.Sprintf("actor%03d", i) }

// groups measures the cost of many groups.
func (b *bench) groups(ctx context.Context) ([]Row, error) {
	server, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	rounds := groupRounds{}
	for i := range b.size.Rounds {
		// Not both at once: a process often may have no more than 20,000 open files.
		first, second := b.manyGroups, b.oneGroup
		if i%2 == 1 {
			first, second = second, first
		}
		if err := first(ctx, server, rounds); err != nil {
			return nil, err
		}
		if err := second(ctx, server, rounds); err != nil {
			return nil, err
		}
	}
	cpu := func(name string) []float64 { return of(rounds[name], (*roundResult).perDelivery) }
	user := func(name string) []float64 { return of(rounds[name], (*roundResult).userPerDelivery) }
	what := fmt.Sprintf("CPU per delivery, %s clients in %d groups, %.0f/s", grouped(b.size.GroupClients), b.size.Groups, 1/b.size.GroupEvery.Seconds())
	whole := row("groups", what, "us", cpu("many"), "all in one group", cpu("all"), limit{by: Ratio, bound: groupsGoal})
	own := row("groups", userPart, "us", user("many"), "only one group gets replies", user("one"), limit{by: Ratio, bound: groupsGoal})
	own.Note = fmt.Sprintf("with the kernel's part, a delivery takes %s when only one group gets replies: its sockets are in the caches", figure(median(cpu("one")), "us"))
	return []Row{whole, own}, nil
}

// groupRounds is the rounds of each kind: replies to many groups, to one of them, or all clients in one group.
type groupRounds map[string][]*roundResult

// manyGroups runs rounds for clients in groups, first for all groups and then for one of them.
func (b *bench) manyGroups(ctx context.Context, server *target, rounds groupRounds) error {
	n := b.size.Groups
	var paths []string
	for i := range n {
		paths = append(paths, "/?sender="+senderOf(i))
	}
	set, err := b.subscribed(ctx, server, b.size.GroupClients, paths, "groups", "in groups")
	if err != nil {
		return err
	}
	defer set.disconnect()
	of := uint64(n)
	r := round{count: b.size.GroupReplies, every: b.size.GroupEvery}
	run := func(name string, sender func(uint64) string, share func(int) subset) error {
		set.setSubsets(share)
		return b.runGroupRound(ctx, "groups", server, set, name, r, sender, rounds)
	}
	err = run("many", func(number uint64) string { return senderOf(int(number % of)) }, func(i int) subset { return subset{modulus: of, remainder: uint64(i) % of} })
	if err != nil {
		return err
	}
	return run("one", func(uint64) string { return senderOf(0) }, func(i int) subset { return subset{none: i%n != 0} })
}

// oneGroup runs a round for as many clients with equal subscriptions.
func (b *bench) oneGroup(ctx context.Context, server *target, rounds groupRounds) error {
	set, err := b.subscribed(ctx, server, b.size.GroupClients, []string{"/?sender=" + senderOf(0)}, "groups", "in one group")
	if err != nil {
		return err
	}
	defer set.disconnect()
	// As many deliveries in the same time.
	n := b.size.Groups
	r := round{count: max(1, b.size.GroupReplies/n), every: time.Duration(n) * b.size.GroupEvery}
	return b.runGroupRound(ctx, "groups", server, set, "all", r, func(uint64) string { return senderOf(0) }, rounds)
}

// runGroupRound runs a round after a short one, and records its result.
func (b *bench) runGroupRound(ctx context.Context, scenario string, server *target, set *clientSet, name string, r round,
	sender func(uint64) string, rounds groupRounds) error {
	b.progress.begin(scenario, fmt.Sprintf("round %d of %d, %s", len(rounds[name])+1, b.size.Rounds, name), b.size.groupSeconds())
	server.source.(viaBroker).sender = sender
	warm := r
	warm.count = max(1, r.count/10)
	if _, err := b.runRound(ctx, server, set, warm); err != nil {
		return err
	}
	stopPerf, err := b.record(scenario+"-"+name, b.size.GroupClients, server)
	if err != nil {
		return err
	}
	defer stopPerf()
	p, err := b.runRound(ctx, server, set, r)
	if err != nil {
		return err
	}
	rounds[name] = append(rounds[name], p)
	return nil
}

// subscribed connects clients that subscribe by their URL, and waits until they are subscribed.
func (b *bench) subscribed(ctx context.Context, t *target, n int, paths []string, scenario, what string) (*clientSet, error) {
	return b.greeted(ctx, t, n, dialer{paths: paths}, 2, scenario, what) // the hello, and the answer to the subscription
}

// awaitUnnumbered waits until want frames other than replies have arrived.
func (set *clientSet) awaitUnnumbered(ctx context.Context, want int) error {
	for start := time.Now(); ; {
		var have int
		set.loop.call(func() { have = set.checker.unnumbered })
		if have >= want {
			return nil
		}
		if time.Since(start) > patience {
			return fmt.Errorf("%d of %d answers came within %v", have, want, patience)
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (s Sizes) groupSeconds() float64 {
	return 0.3 + 1.1*(time.Duration(s.GroupReplies)*s.GroupEvery).Seconds()
}

func groupsSeconds(s Sizes) float64 {
	return float64(s.Rounds) * (2*connectTime(s.GroupClients) + 3*s.groupSeconds())
}
