package hub

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
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
		c.send()
		c.replies(60)
		for range 20 {
			c.visit()
		}
	})
}

// resumeCourse is a random course of replies, and of clients that visit one after the other. Some
// of the replies answer commands of other clients of the same principals.
type resumeCourse struct {
	*hubHarness
	random   *rand.Rand
	said     []modelled
	senders  []*recordingClient
	visitors []*visitor
}

// promises is the numbers of the replies that a client must get.
type promises map[uint64]bool

// visitor is a client, what it may hear, and the filters by which it gets replies now.
type visitor struct {
	*recordingClient
	viewer   *modelViewer
	filters  map[string]*filter.Filter // by subscription; nil for one that promises nothing
	promised promises
	allowed  promises // what it may get at most
}

// hears reports whether the client may hear a reply now.
func (v *visitor) hears(r *modelled) bool { return v.viewer.sees(&r.Reply) || v.viewer.ownOnly(r) }

// replies delivers n random replies.
func (c *resumeCourse) replies(n int) {
	for range n {
		r := modelled{Reply: filter.Reply{Sender: pick(c.random, "a", "b", "c"), Code: pick(c.random, "i", "w"), Internal: c.random.IntN(3) == 0}}
		if r.Sender == "b" && c.random.IntN(2) == 0 {
			r.from = pick(c.random, c.senders...)
			r.CommandID, r.Commander = "of "+r.from.self, "bridge.b"
		}
		said := r.Reply
		r.Keywords = []string{pick(c.random, "public", "secret")}
		c.said = append(c.said, r)
		c.saysBody(said, fmt.Sprintf(`{%q: 1}`, r.Keywords[0]))
		for _, v := range c.visitors {
			for _, f := range v.filters {
				v.expect(uint64(len(c.said)), f, &r)
			}
		}
	}
}

// expect notes whether the client must get a reply by a filter, and whether it may get it.
func (v *visitor) expect(seq uint64, f *filter.Filter, r *modelled) {
	if !v.hears(r) {
		return
	}
	v.allowed[seq] = true
	if f != nil && f.Match(&r.Reply) {
		v.promised[seq] = true
	}
}

// resumes notes what the client must get when it resumes from a reply.
func (c *resumeCourse) resumes(v *visitor, f *filter.Filter, from int) {
	for i := from; i < len(c.said); i++ {
		v.expect(uint64(i+1), f, &c.said[i])
	}
}

// enter connects a client that may hear what some viewer says.
func (c *resumeCourse) enter(target string) *visitor {
	c.t.Helper()
	v := &visitor{viewer: c.randomViewer(), filters: map[string]*filter.Filter{}, promised: promises{}, allowed: promises{}}
	v.recordingClient = c.dialAs(target, v.viewer.viewer())
	c.await(v.recordingClient, "hello")
	c.visitors = append(c.visitors, v)
	return v
}

// send connects a client of each principal that sends a command, which does not end.
func (c *resumeCourse) send() {
	for _, self := range []string{"x", "y"} {
		l := c.dialAt("/?silent=1")
		c.await(l, "hello")
		l.self = self
		if _, err := c.hub.Inflight.Add(l, CommandKey{"of " + self, "b"}, nil); err != nil {
			c.t.Fatal(err)
		}
		c.senders = append(c.senders, l)
	}
}

// visit connects a client, makes it subscribe several times, changes what it may hear meanwhile,
// and checks that it got what it was promised.
func (c *resumeCourse) visit() {
	c.t.Helper()
	target := pick(c.random, "/", "/?batch_ms=1000", "/?silent=1", "/?silent=1&batch_ms=1000")
	v := c.enter(target)
	if target == "/" || target == "/?batch_ms=1000" { // it gets everything until it subscribes
		v.filters["initial"] = mustFilter(c.t, `{}`)
	}
	for n := range 4 {
		c.replies(c.random.IntN(8))
		c.changeViewer(v)
		c.replies(c.random.IntN(8))
		f, from := c.subscribe(v.recordingClient, n)
		delete(v.filters, "initial")
		v.filters[fmt.Sprint(n)] = f
		c.resumes(v, f, from)
		c.changeViewer(v)
	}
	c.replies(c.random.IntN(8))
	c.ask(v.recordingClient, "pong", `{"op": "ping"}`)
	heard := v.replies()
	if v.catching.wrong != "" {
		c.t.Fatal(v.catching.wrong)
	}
	c.hangUp(v.recordingClient)
	c.visitors = nil
	slices.Sort(heard)
	if want := slices.Sorted(maps.Keys(v.promised)); !slices.Equal(heard, want) {
		c.t.Fatalf("it got the replies %v, want %v", heard, want)
	}
}

// randomViewer returns everything, or some view of a principal.
func (c *resumeCourse) randomViewer() *modelViewer {
	if c.random.IntN(3) == 0 {
		return &modelViewer{hear: []*filter.Filter{mustFilter(c.t, `{}`)}, detailed: true}
	}
	return newModelViewer(c.random, pick(c.random, "x", "y", ""), func(text string) *filter.Filter { return mustFilter(c.t, text) })
}

// changeViewer changes what the client may hear, now and then.
func (c *resumeCourse) changeViewer(former *visitor) {
	if c.random.IntN(3) > 0 {
		return
	}
	v := c.randomViewer()
	c.hub.SetViewer(former.session, v.viewer(), protocol.Encode(protocol.OK{Op: "changed"}))
	c.await(former.recordingClient, "changed")
	former.viewer = v
	c.resumes(former, nil, 0) // those that are pending in its next group come
}

// subscribe adds a random subscription, and returns its filter and the number after which it must
// deliver.
func (c *resumeCourse) subscribe(l *recordingClient, n int) (f *filter.Filter, from int) {
	c.t.Helper()
	text := pick(c.random, `{}`, `{"sender": "a"}`, `{"sender": ["a", "b"]}`, `{"sender": ["b", "c"]}`, `{"internal": true}`, `{"keyword": "secret"}`, `{"sender": "nobody"}`)
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
