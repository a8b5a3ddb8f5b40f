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

// Clients resume subscriptions in addition to throttled ones that they share with others. A
// subscription without throttle delivers everything that it selects, whatever is pending for the
// others.
func TestAReplayIsCompleteWhateverIsPendingElsewhere(t *testing.T) {
	forEachSeed(t, 13, func(t *testing.T, random *rand.Rand) {
		c := &throttleCourse{resumeCourse: resumeCourse{hubHarness: newHarness(t), random: random}}
		for range 6 {
			l := c.dialAt("/?silent=1")
			c.await(l, "hello")
			c.clients = append(c.clients, &resumingClient{l, map[string]promisedSub{}, promises{}})
		}
		for n := range 300 {
			c.step(n)
		}
		for _, l := range c.clients {
			for _, sub := range l.subs {
				c.keep(l, sub)
			}
			c.ask(l.recordingClient, "pong", `{"op": "ping"}`)
			heard := l.replies()
			for seq := range l.promised {
				if !slices.Contains(heard, seq) {
					t.Errorf("reply %d did not come", seq)
				}
			}
		}
	})
}

// throttleCourse is a random course of replies and of clients that subscribe concurrently.
type throttleCourse struct {
	resumeCourse
	clients []*resumingClient
}

// resumingClient is a client, with its subscriptions and what it was promised.
type resumingClient struct {
	*recordingClient
	subs     map[string]promisedSub
	promised promises
}

// promisedSub is a subscription, and the number after which it must deliver.
type promisedSub struct {
	filter *filter.Filter // nil if the subscription is throttled
	from   int
}

// keep adds the replies that a subscription has promised by now.
func (c *throttleCourse) keep(l *resumingClient, sub promisedSub) {
	if sub.filter != nil {
		c.promise(l.promised, sub.filter, sub.from)
	}
}

// step makes a client change its subscriptions, lets time pass, or delivers a reply.
func (c *throttleCourse) step(n int) {
	l := pick(c.random, c.clients...)
	switch action := c.random.IntN(10); {
	case action < 2 && len(l.subs) < 3:
		c.resume(l, fmt.Sprint(n))
	case action == 2 && len(l.subs) > 0:
		id := pick(c.random, slices.Sorted(maps.Keys(l.subs))...)
		c.keep(l, l.subs[id])
		delete(l.subs, id)
		c.ask(l.recordingClient, "ok", fmt.Sprintf(`{"op": "unsubscribe", "id": %q}`, id))
	case action == 3:
		c.pass(time.Duration(c.random.IntN(20)) * time.Millisecond)
	default:
		c.replies(1)
	}
}

// resume adds a subscription that resumes from a recent reply.
func (c *throttleCourse) resume(l *resumingClient, id string) {
	text, ms := pick(c.random, `{}`, `{"sender": "a"}`, `{"sender": ["a", "b"]}`), pick(c.random, 0, 17, 29)
	since := max(0, len(c.said)-c.random.IntN(12))
	c.since(l.recordingClient, since, fmt.Sprintf(`"id": %q, "filter": %s, "throttle_ms": %d`, id, text, ms))
	c.await(l.recordingClient, "ok")
	sub := promisedSub{from: since}
	if ms == 0 {
		sub.filter = mustFilter(c.t, text)
	}
	l.subs[id] = sub
}
