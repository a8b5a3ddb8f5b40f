package hub

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Clients resume subscriptions in addition to throttled ones that they share with others. A
// subscription without throttle delivers everything that it selects, whatever is pending for the
// others.
func TestAReplayIsCompleteWhateverIsPendingElsewhere(t *testing.T) {
	forEachSeed(t, 13, func(t *testing.T, random *rand.Rand) {
		c := &throttleCourse{resumeCourse: resumeCourse{hubHarness: newHarness(t), random: random}}
		c.send()
		for range 6 {
			c.enter("/?silent=1")
		}
		for n := range 300 {
			c.step(n)
		}
		for _, v := range c.visitors {
			c.ask(v.recordingClient, "pong", `{"op": "ping"}`)
			heard := v.replies()
			for seq := range v.promised {
				if !slices.Contains(heard, seq) {
					t.Errorf("reply %d did not come", seq)
				}
			}
			for _, seq := range heard {
				if !v.allowed[seq] {
					t.Errorf("reply %d came, which the client may not hear", seq)
				}
			}
		}
	})
}

// throttleCourse is a random course of replies and of clients that subscribe concurrently.
type throttleCourse struct{ resumeCourse }

// step makes a client change its subscriptions or what it may hear, lets time pass, or delivers a
// reply.
func (c *throttleCourse) step(n int) {
	v := pick(c.random, c.visitors...)
	switch action := c.random.IntN(10); {
	case action < 2 && len(v.filters) < 3:
		c.resume(v, fmt.Sprint(n))
	case action == 2 && len(v.filters) > 0:
		id := pick(c.random, slices.Sorted(maps.Keys(v.filters))...)
		delete(v.filters, id)
		c.ask(v.recordingClient, "ok", fmt.Sprintf(`{"op": "unsubscribe", "id": %q}`, id))
	case action == 3:
		c.pass(time.Duration(c.random.IntN(20)) * time.Millisecond)
	case action == 4:
		c.changeViewer(v)
	default:
		c.replies(1)
	}
}

// resume adds a subscription that resumes from a recent reply.
func (c *throttleCourse) resume(v *visitor, id string) {
	text, ms := pick(c.random, `{}`, `{"sender": "a"}`, `{"sender": ["a", "b"]}`), pick(c.random, 0, 17, 29)
	since := max(0, len(c.said)-c.random.IntN(12))
	c.since(v.recordingClient, since, fmt.Sprintf(`"id": %q, "filter": %s, "throttle_ms": %d`, id, text, ms))
	c.await(v.recordingClient, "ok")
	v.filters[id] = nil
	if ms == 0 {
		v.filters[id] = mustFilter(c.t, text)
	}
	c.resumes(v, v.filters[id], since)
	c.resumes(v, nil, 0) // those that are pending in its next group come
}
