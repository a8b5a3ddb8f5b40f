package bench

import (
	"context"
	"fmt"
	"os"
)

// Clients whose grants differ are in groups, as clients whose subscriptions differ. The same replies go to the same number
// of clients: in groups by what they are granted, and, as the reference, by what they subscribe to.

// accessGoal is the goal for the ratio of a delivery's cost.
const accessGoal = 1.1

// byGrants measures the cost of groups of clients with different grants.
func (b *bench) byGrants(ctx context.Context) ([]Row, error) {
	folder, err := os.MkdirTemp("", "clu-ws-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := newAccessFile(folder, b.size.Groups)
	if err := file.write(noRole); err != nil {
		return nil, err
	}
	var filters []string
	for i := range b.size.Groups {
		filters = append(filters, "/?sender="+senderOf(i))
	}
	kinds := []groupKind{
		{"filter", nil, dialer{paths: filters}, 2}, // the hello, and the answer to the subscription
		{"grant", []string{"--config", file.path}, dialer{path: "/", headers: file.headers(true)}, 1},
		{"plain", []string{"--config", file.path}, dialer{path: "/", headers: file.headers(false)}, 0},
	}
	rounds := groupRounds{}
	for i := range b.size.Rounds {
		for j := range kinds {
			if err := b.runKind(ctx, kinds[(i+j)%len(kinds)], rounds); err != nil {
				return nil, err
			}
		}
	}
	cpu := func(name string) []float64 { return of(rounds[name], (*roundResult).perDelivery) }
	what := fmt.Sprintf("CPU per delivery, %s clients with %d different grants, %.0f/s", grouped(b.size.GroupClients), b.size.Groups, 1/b.size.GroupEvery.Seconds())
	return []Row{
		row("access-groups", what, "us", cpu("grant"), "groups by filters", cpu("filter"), limit{by: Ratio, bound: accessGoal}),
		row("access-groups", "the same, plain clients", "us", cpu("plain"), "groups by filters", cpu("filter"), limit{by: Ratio, bound: accessGoal}),
	}, nil
}

// groupKind is a way to divide clients into groups.
type groupKind struct {
	name      string
	flags     []string // of the bridge
	dial      dialer
	greetings int // frames that each client gets at first
}

// runKind runs a round for all groups, on a bridge of its own: another one would take the same replies meanwhile.
func (b *bench) runKind(ctx context.Context, k groupKind, rounds groupRounds) error {
	server, err := b.serverAt(ctx, b.brokerURL, k.flags...)
	if err != nil {
		return err
	}
	defer server.stop()
	set, err := b.greeted(ctx, server, b.size.GroupClients, k.dial, k.greetings, "access-groups", "by "+k.name)
	if err != nil {
		return err
	}
	defer set.disconnect()
	n := uint64(b.size.Groups)
	set.setSubsets(func(i int) subset { return subset{modulus: n, remainder: uint64(i) % n} })
	r := round{count: b.size.GroupReplies, every: b.size.GroupEvery}
	return b.runGroupRound(ctx, "access-groups", server, set, k.name, r, func(number uint64) string { return senderOf(int(number % n)) }, rounds)
}

func accessSeconds(s Sizes) float64 {
	return float64(3*s.Rounds) * (connectTime(s.GroupClients) + s.groupSeconds())
}

// greeted connects clients, and waits until each has got its first frames.
func (b *bench) greeted(ctx context.Context, t *target, n int, dial dialer, greetings int, scenario, what string) (*clientSet, error) {
	b.progress.begin(scenario, fmt.Sprintf("connecting %d clients, %s", n, what), connectTime(n))
	dial.to, dial.host = t.addr, t.addr.String()
	set := newClientSet(b.loop, dial)
	_, err := set.connect(ctx, n)
	if err == nil {
		err = set.awaitUnnumbered(ctx, greetings*n)
	}
	if err != nil {
		set.disconnect()
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	return set, nil
}
