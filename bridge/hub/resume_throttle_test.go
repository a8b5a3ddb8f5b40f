package hub

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// Clients resume subscriptions beside throttled ones, which they share with others. A subscription
// without throttle delivers everything that it selects, whatever is pending for the others.
func TestAReplayIsCompleteWhateverIsPendingElsewhere(t *testing.T) {
	filters := []string{`{}`, `{"sender": "a"}`, `{"sender": ["a", "b"]}`}
	forEachSeed(t, 13, func(t *testing.T, random *rand.Rand) {
		s := newHarness(t)
		type sub struct {
			filter *filter.Filter // nil if the subscription is throttled
			from   int
		}
		type resumer struct {
			*recordingClient
			subs     map[string]sub
			promised map[uint64]bool
		}
		var said []filter.Reply
		keeps := func(g *resumer, sub sub) {
			for i := sub.from; sub.filter != nil && i < len(said); i++ {
				if sub.filter.Match(&said[i]) {
					g.promised[uint64(i+1)] = true
				}
			}
		}
		var all []*resumer
		for range 6 {
			g := &resumer{s.dialAt("/?silent=1"), map[string]sub{}, map[uint64]bool{}}
			s.await(g.recordingClient, "hello")
			all = append(all, g)
		}
		for n := range 300 {
			g := pick(random, all...)
			switch action := random.IntN(10); {
			case action < 2 && len(g.subs) < 3:
				text, ms := pick(random, filters...), pick(random, 0, 17, 29)
				since := max(0, len(said)-random.IntN(12))
				s.since(g.recordingClient, since, fmt.Sprintf(`"id": "%d", "filter": %s, "throttle_ms": %d`, n, text, ms))
				s.await(g.recordingClient, "ok")
				sub := sub{from: since}
				if ms == 0 {
					sub.filter = mustFilter(t, text)
				}
				g.subs[fmt.Sprint(n)] = sub
			case action == 2:
				if len(g.subs) == 0 {
					continue
				}
				id := pick(random, slices.Sorted(maps.Keys(g.subs))...)
				keeps(g, g.subs[id])
				delete(g.subs, id)
				s.ask(g.recordingClient, "ok", fmt.Sprintf(`{"op": "unsubscribe", "id": %q}`, id))
			case action == 3:
				s.pass(time.Duration(random.IntN(20)) * time.Millisecond)
			default:
				r := filter.Reply{Sender: pick(random, "a", "b", "c"), Code: "i"}
				said = append(said, r)
				s.says(r, 0)
			}
		}
		for _, g := range all {
			for _, sub := range g.subs {
				keeps(g, sub)
			}
			s.ask(g.recordingClient, "pong", `{"op": "ping"}`)
			g.mu.Lock()
			for seq := range g.promised {
				if !slices.Contains(g.heard, seq) {
					t.Errorf("reply %d did not come", seq)
				}
			}
			g.mu.Unlock()
		}
	})
}
