package bench

import (
	"context"
	"fmt"
	"time"
)

// Groups of clients that wish the same, each of which hears one sender. Every
// reply is wanted by one group. It is held against the same number of deliveries
// to clients of one group, in two ways, since a client that hears a reply now and
// then costs the kernel more than one that hears a thousand a second:
//
//   - the same clients, while all replies come from the one sender of one group,
//   - as many clients, all of one group, and fewer replies, which all of them hear.

// groupsReach is how much more a delivery may take with groups.
const groupsReach = 1.3

// senderOf is who sends what the i-th group wants.
func senderOf(i int) string { return fmt.Sprintf("actor%03d", i) }

// groups measures what many groups cost.
func (b *bench) groups(ctx context.Context) ([]Row, error) {
	server, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	var many, one, all []float64
	for i := range b.size.Rounds {
		// Not both at once: a process may often have no more than 20,000 files.
		parts := []func(context.Context, *target, *groupRound) error{b.manyGroups, b.oneGroup}
		if i%2 == 1 {
			parts[0], parts[1] = parts[1], parts[0]
		}
		for _, part := range parts {
			r := groupRound{name: fmt.Sprintf("round %d of %d, ", i+1, b.size.Rounds), into: map[string]*[]float64{"many": &many, "one": &one, "all": &all}}
			if err := part(ctx, server, &r); err != nil {
				return nil, err
			}
		}
	}
	what := fmt.Sprintf("CPU per delivery, %s clients in %d groups, %.0f/s", grouped(b.size.Grouped), b.size.Groups, 1/b.size.GroupEvery.Seconds())
	return []Row{
		row("groups", what, "us", many, "only one of them hears", one, reach{by: Ratio, bound: groupsReach}),
		row("groups", what, "us", many, "all are one group", all, reach{by: Ratio, bound: groupsReach}),
	}, nil
}

// groupRound is where the figures of a round go.
type groupRound struct {
	name string
	into map[string]*[]float64
}

// manyGroups plays to clients in groups, and then to one of these groups alone.
func (b *bench) manyGroups(ctx context.Context, server *target, r *groupRound) error {
	n := b.size.Groups
	var paths []string
	for i := range n {
		paths = append(paths, "/?sender="+senderOf(i))
	}
	cr, err := b.subscribed(ctx, server, b.size.Grouped, paths, r.name+"groups")
	if err != nil {
		return err
	}
	defer cr.hangUp()
	of := uint64(n)
	play := func(name string, sender func(uint64) string, share func(int) share) error {
		b.progress.begin("groups", r.name+name, b.size.groupSeconds())
		return b.playGroups(ctx, server, cr, name, round{count: b.size.GroupReplies, every: b.size.GroupEvery}, sender, share, r)
	}
	err = play("many", func(number uint64) string { return senderOf(int(number % of)) }, func(i int) share { return share{of: of, rest: uint64(i) % of} })
	if err != nil {
		return err
	}
	return play("one", func(uint64) string { return senderOf(0) }, func(i int) share { return share{none: i%n != 0} })
}

// oneGroup plays to as many clients that all wish the same.
func (b *bench) oneGroup(ctx context.Context, server *target, r *groupRound) error {
	cr, err := b.subscribed(ctx, server, b.size.Grouped, []string{"/?sender=" + senderOf(0)}, r.name+"one group")
	if err != nil {
		return err
	}
	defer cr.hangUp()
	b.progress.begin("groups", r.name+"one group", b.size.groupSeconds())
	// As many deliveries in the same time.
	n := b.size.Groups
	replies := round{count: max(1, b.size.GroupReplies/n), every: time.Duration(n) * b.size.GroupEvery}
	return b.playGroups(ctx, server, cr, "all", replies, func(uint64) string { return senderOf(0) }, nil, r)
}

// playGroups plays a round after a short one, and notes what a delivery took.
func (b *bench) playGroups(ctx context.Context, server *target, cr *crowd, name string, r round,
	sender func(uint64) string, share func(int) share, into *groupRound) error {
	server.source.(viaBroker).sender = sender
	cr.divide(share)
	warm := r
	warm.count = max(1, r.count/10)
	if _, err := b.play(ctx, server, cr, warm); err != nil {
		return err
	}
	p, err := b.play(ctx, server, cr, r)
	if err != nil {
		return err
	}
	*into.into[name] = append(*into.into[name], p.perDelivery())
	return nil
}

// subscribed connects clients that subscribe by their URL, and waits until they
// have their subscriptions.
func (b *bench) subscribed(ctx context.Context, t *target, n int, paths []string, what string) (*crowd, error) {
	b.progress.begin("groups", "connecting "+grouped(n)+" clients, "+what, connectTime(n))
	cr := newCrowd(b.swarm, dialer{to: t.addr, each: paths, host: t.addr.String()})
	if _, err := cr.connect(ctx, n); err != nil {
		cr.hangUp()
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	if err := cr.awaitForeign(ctx, 2*n); err != nil { // the greeting, and the answer to the subscription
		cr.hangUp()
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	return cr, nil
}

// awaitForeign waits until so many frames have come that are no replies.
func (cr *crowd) awaitForeign(ctx context.Context, want int) error {
	for start := time.Now(); ; {
		var have int
		cr.swarm.call(func() { have = cr.checker.foreign })
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
	return float64(s.Rounds) * (2*connectTime(s.Grouped) + 3*s.groupSeconds())
}
