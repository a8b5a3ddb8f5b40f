package hub

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// Clients connect in every way, and resume subscriptions that overlap.
func TestResumingClientsGetEveryPromisedReplyOnce(t *testing.T) {
	filters := []string{`{}`, `{"sender": "a"}`, `{"sender": ["a", "b"]}`, `{"sender": ["b", "c"]}`, `{"internal": true}`, `{"sender": "nobody"}`}
	forEachSeed(t, 11, func(t *testing.T, random *rand.Rand) {
		s := newHarness(t)
		s.hub.mu.Lock()
		s.hub.history.Replies = 40
		s.hub.mu.Unlock()
		var said []filter.Reply
		says := func(n int) {
			for range n {
				r := filter.Reply{Sender: pick(random, "a", "b", "c"), Code: "i", Internal: random.IntN(3) == 0}
				said = append(said, r)
				s.says(r, 0)
			}
		}
		says(60)
		for range 20 {
			promised := map[uint64]bool{}
			promise := func(f *filter.Filter, from int) {
				for i := from; i < len(said); i++ {
					if f.Match(&said[i]) {
						promised[uint64(i+1)] = true
					}
				}
			}
			type sub struct {
				filter *filter.Filter
				from   int
			}
			var subs []sub
			everything := len(said)
			target, implicit := "/", true
			switch random.IntN(4) {
			case 0:
				target = "/?batch_ms=1000"
			case 1:
				target, implicit = "/?silent=1", false
			case 2:
				target, implicit = "/?silent=1&batch_ms=1000", false
			}
			l := s.dialAt(target)
			s.await(l, "hello")
			for n := range 4 {
				says(random.IntN(8))
				text := pick(random, filters...)
				f := mustFilter(t, text)
				if implicit { // until now it gets everything
					implicit = false
					promise(mustFilter(t, `{}`), everything)
				}
				from := len(said)
				batch := pick(random, ``, `, "batch_ms": 0`, `, "batch_ms": 3`, `, "batch_ms": 1000`)
				if random.IntN(3) == 0 {
					s.ask(l, "ok", fmt.Sprintf(`{"op": "subscribe", "id": "%d", "filter": %s%s}`, n, text, batch))
				} else {
					since := max(0, len(said)-random.IntN(50))
					s.since(l, since, fmt.Sprintf(`"id": "%d", "filter": %s%s`, n, text, batch))
					ok := s.await(l, "ok")
					switch resumed := ok["resumed"] == true; {
					case resumed != (since >= len(said)-40):
						t.Fatalf("since %d of %d: %v", since, len(said), ok)
					case resumed:
						from = since
					default:
						s.await(l, "snapshot")
					}
				}
				subs = append(subs, sub{f, from})
			}
			says(random.IntN(8))
			for _, sub := range subs {
				promise(sub.filter, sub.from)
			}
			s.ask(l, "pong", `{"op": "ping"}`)
			l.mu.Lock()
			heard := slices.Clone(l.heard)
			l.mu.Unlock()
			s.hangUp(l)
			slices.Sort(heard)
			var want []uint64
			for seq := range promised {
				want = append(want, seq)
			}
			slices.Sort(want)
			if !slices.Equal(heard, want) {
				t.Fatalf("it got the replies %v, want %v", heard, want)
			}
		}
	})
}
