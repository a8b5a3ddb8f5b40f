package hub

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// keptReplies is how many replies the history holds in these tests.
const keptReplies = 40

// Clients connect in all ways, and resume overlapping subscriptions.
func TestResumingClientsGetEveryPromisedReplyOnce(t *testing.T) {
	forEachSeed(t, 11, func(t *testing.T, random *rand.Rand) {
		c := &resumeCourse{hubHarness: newHarness(t), random: random}
		c.hub.mu.Lock()
		c.hub.history.Replies = keptReplies
		c.hub.mu.Unlock()
		c.replies(60)
		for range 20 {
			c.visit()
		}
	})
}

// resumeCourse is a random course of replies, and of clients that visit one after the other.
type resumeCourse struct {
	*hubHarness
	random *rand.Rand
	said   []filter.Reply
}

// promises is the numbers of the replies that a client must get.
type promises map[uint64]bool

// replies delivers n random replies.
func (c *resumeCourse) replies(n int) {
	for range n {
		r := filter.Reply{Sender: pick(c.random, "a", "b", "c"), Code: "i", Internal: c.random.IntN(3) == 0}
		c.said = append(c.said, r)
		c.says(r, 0)
	}
}

// promise adds the replies so far after a number that a filter selects.
func (c *resumeCourse) promise(p promises, f *filter.Filter, from int) {
	for i := from; i < len(c.said); i++ {
		if f.Match(&c.said[i]) {
			p[uint64(i+1)] = true
		}
	}
}

// visit connects a client, makes it subscribe several times, and checks that it got what it
// was promised.
func (c *resumeCourse) visit() {
	c.t.Helper()
	type sub struct {
		filter *filter.Filter
		from   int
	}
	var subs []sub
	promised, connected := promises{}, len(c.said)
	target := pick(c.random, "/", "/?batch_ms=1000", "/?silent=1", "/?silent=1&batch_ms=1000")
	l := c.dialAt(target)
	c.await(l, "hello")
	for n := range 4 {
		c.replies(c.random.IntN(8))
		if n == 0 && (target == "/" || target == "/?batch_ms=1000") { // it has received everything so far
			c.promise(promised, mustFilter(c.t, `{}`), connected)
		}
		f, from := c.subscribe(l, n)
		subs = append(subs, sub{f, from})
	}
	c.replies(c.random.IntN(8))
	for _, sub := range subs {
		c.promise(promised, sub.filter, sub.from)
	}
	c.ask(l, "pong", `{"op": "ping"}`)
	heard := l.replies()
	c.hangUp(l)
	slices.Sort(heard)
	var want []uint64
	for seq := range promised {
		want = append(want, seq)
	}
	slices.Sort(want)
	if !slices.Equal(heard, want) {
		c.t.Fatalf("it got the replies %v, want %v", heard, want)
	}
}

// subscribe adds a random subscription, and returns its filter and the number after which it must
// deliver.
func (c *resumeCourse) subscribe(l *recordingClient, n int) (f *filter.Filter, from int) {
	c.t.Helper()
	text := pick(c.random, `{}`, `{"sender": "a"}`, `{"sender": ["a", "b"]}`, `{"sender": ["b", "c"]}`, `{"internal": true}`, `{"sender": "nobody"}`)
	batch := pick(c.random, ``, `, "batch_ms": 0`, `, "batch_ms": 3`, `, "batch_ms": 1000`)
	f, from = mustFilter(c.t, text), len(c.said)
	if c.random.IntN(3) == 0 {
		c.ask(l, "ok", fmt.Sprintf(`{"op": "subscribe", "id": "%d", "filter": %s%s}`, n, text, batch))
		return f, from
	}
	since := max(0, len(c.said)-c.random.IntN(50))
	c.since(l, since, fmt.Sprintf(`"id": "%d", "filter": %s%s`, n, text, batch))
	ok := c.await(l, "ok")
	resumed := ok["resumed"] == true
	if resumed != (since >= len(c.said)-keptReplies) {
		c.t.Fatalf("since %d of %d: %v", since, len(c.said), ok)
	}
	if resumed {
		return f, since
	}
	c.await(l, "snapshot")
	return f, from
}
