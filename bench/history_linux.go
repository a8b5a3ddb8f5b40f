package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// The history of keywords takes its part of the time in which a reply is delivered. The same replies, of as many keywords as
// an observatory has, go to the same number of clients: from a bridge that keeps a history, and, as the reference, from one
// that keeps none.

// historyGoal is the goal for the ratio of a delivery's cost.
const historyGoal = 1.05

// historyActors have historyKeywords numeric keywords each: 10,000.
const (
	historyActors   = 250
	historyKeywords = 40
)

// keptHistory measures the cost of the history of keywords.
func (b *bench) keptHistory(ctx context.Context) ([]Row, error) {
	kinds := []groupKind{
		{"with a history", []string{"--values-bytes", "64MiB"}, dialer{}, 0},
		{"without", []string{"--values-bytes", "0"}, dialer{}, 0},
	}
	var rows []Row
	for _, clients := range []int{b.size.Clients, b.size.Few} {
		rounds := groupRounds{}
		for i := range 2 * b.size.Rounds {
			for j := range kinds {
				if err := b.runHistory(ctx, kinds[(i+j)%len(kinds)], clients, rounds); err != nil {
					return rows, err
				}
			}
		}
		to := limit{by: Ratio, bound: historyGoal}
		if clients != b.size.Clients {
			to = limit{by: Informational}
		}
		cpu := func(name string) []float64 { return of(rounds[name], (*roundResult).perDelivery) }
		what := fmt.Sprintf("CPU per delivery, 10,000 keywords, %.0f/s, %s clients", 1/b.size.HistoryEvery.Seconds(), grouped(clients))
		rows = append(rows, row("history", what, "us", cpu(kinds[0].name), "no history", cpu(kinds[1].name), to))
	}
	return rows, nil
}

// runHistory runs a round on a bridge of its own.
func (b *bench) runHistory(ctx context.Context, k groupKind, clients int, rounds groupRounds) error {
	server, err := b.serverAt(ctx, b.brokerURL, k.flags...)
	if err != nil {
		return err
	}
	defer server.stop()
	set, err := b.clients(ctx, server, clients, 0)
	if err != nil {
		return err
	}
	defer set.disconnect()
	random := rand.New(rand.NewPCG(1, 2))
	server.source.(viaBroker).more = func(number uint64) string { return keywordsOf(random, number) }
	sender := func(number uint64) string { return senderOf(int(number % historyActors)) }
	server.source.(viaBroker).sender = sender
	known := round{count: 2 * historyActors, every: b.size.HistoryEvery / 4} // then every keyword is known
	if _, err := b.runRound(ctx, server, set, known); err != nil {
		return err
	}
	r := round{count: b.size.HistoryReplies, every: b.size.HistoryEvery}
	return b.runGroupRound(ctx, "history", server, set, k.name, r, sender, rounds)
}

// keywordsOf returns the members of a body with numbers that change slowly, and some noise.
func keywordsOf(random *rand.Rand, number uint64) string {
	var body strings.Builder
	for k := range historyKeywords {
		slow := math.Sin(float64(number)/10000 + float64(k))
		fmt.Fprintf(&body, `,"keyword_%d":%.2f`, k, 10*slow+0.05*random.NormFloat64())
	}
	return body.String()
}

func historySeconds(s Sizes) (sum float64) {
	for _, clients := range []int{s.Clients, s.Few} {
		sum += float64(4*s.Rounds) * (connectTime(clients) + 1.1*float64(s.HistoryReplies)*s.HistoryEvery.Seconds())
	}
	return sum
}
