package hub

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestGroupsDeliverWhatAModelDeliversToEachClient(t *testing.T) {
	forEachSeed(t, 7, func(t *testing.T, random *rand.Rand) {
		c := &groupCourse{hubHarness: newHarness(t), model: newModel(), random: random}
		for range 12 {
			c.connect()
		}
		for range 5 {
			c.connectPlain()
		}
		for range 600 {
			c.step()
		}
		delivered := 0
		for i, l := range c.clients {
			c.compare(i, l)
			delivered += len(l.want)
		}
		for i, l := range c.plain {
			c.compare(100+i, l.recordingClient)
		}
		if delivered < 500 {
			t.Errorf("only %d deliveries were compared", delivered)
		}
	})
}

// groupCourse is a random course of subscriptions and replies, in a hub and in its model.
type groupCourse struct {
	*hubHarness
	model    *model
	random   *rand.Rand
	clients  []*recordingClient
	plain    []*plainModel
	said     []modelled
	commands []*recordingClient // the senders of commands in flight; nil once they have ended
	names    int
}

// connect connects a client that subscribes to everything.
func (c *groupCourse) connect() {
	self := pick(c.random, "x", "y", "z", "")
	v := randomViewer(c, self)
	l := c.connectAs(v.viewer())
	l.self, l.viewer = self, v
	c.await(l, "hello")
	c.ask(l, "ok", `{"op": "subscribe", "id": "first"}`)
	l.specs["first"] = modelSpec{filter: mustFilter(c.t, `{}`), client: l, viewer: v}
	c.model.move(l)
	c.clients = append(c.clients, l)
}

// step makes a client change its subscriptions, lets time pass, or delivers a reply.
func (c *groupCourse) step() {
	l := pick(c.random, c.clients...)
	switch action := c.random.IntN(20); {
	case action == 19:
		c.changeViewer(l)
	case action == 18:
		c.command(l)
	case action == 17:
		pick(c.random, c.plain...).change(c)
	case action == 0 && len(l.specs) < 5:
		c.subscribe(l)
	case action == 1 && len(l.specs) > 0:
		name := pick(c.random, slices.Sorted(maps.Keys(l.specs))...)
		c.ask(l, "ok", fmt.Sprintf(`{"op": "unsubscribe", "id": %q}`, name))
		delete(l.specs, name)
		c.model.move(l)
	case action < 4:
		c.pass(time.Duration(c.random.IntN(30)) * time.Millisecond)
	default:
		c.reply()
		c.pass(time.Microsecond) // so that no two windows end at the same moment
	}
}

func (c *groupCourse) subscribe(l *recordingClient) {
	text := pick(c.random,
		`{}`, `{"sender": "a"}`, `{"sender": ["b", "a"]}`, `{"sender": ["a", "b"]}`, `{"sender": "?"}`, `{"message_code": ["i", ":"]}`,
		`{"commander": ["me", "y.*"]}`, `{"commander": "me"}`, `{"keyword": ["public", "secret"]}`, `{"sender": "c", "message_code": "i"}`, `{"internal": true}`, `{"routing_key": "reply.x.#"}`, `{"commander": ["x.*"]}`, `{"command_id": "1"}`)
	spec := modelSpec{
		filter:   mustFilter(c.t, text),
		throttle: pick[time.Duration](c.random, 0, 0, 17, 29, 43) * time.Millisecond, // without small common multiples
		ordered:  c.random.IntN(4) == 0,
		batch:    pick[time.Duration](c.random, 0, 0, 2, 1000) * time.Millisecond,
		client:   l,
		viewer:   l.viewer,
	}
	c.names++
	name := fmt.Sprint(c.names)
	c.ask(l, "ok", fmt.Sprintf(`{"op": "subscribe", "id": %q, "filter": %s, "throttle_ms": %d, "ordered": %v, "batch_ms": %d}`,
		name, text, spec.throttle.Milliseconds(), spec.ordered, spec.batch.Milliseconds()))
	l.specs[name] = spec
	c.model.move(l)
}

// pass lets time pass in both.
func (c *groupCourse) pass(d time.Duration) {
	c.hubHarness.pass(d)
	c.model.pass(d)
}

// changeViewer gives a client another viewer.
func (c *groupCourse) changeViewer(l *recordingClient) {
	v := randomViewer(c, l.self)
	c.hub.SetViewer(l.session, v.viewer(), protocol.Encode(protocol.OK{Op: "changed"}))
	c.await(l, "changed")
	c.model.setViewer(l, v, c.said)
}

// command registers a command of a client, whose replies come later.
func (c *groupCourse) command(l *recordingClient) {
	id := fmt.Sprint("command", len(c.commands))
	if _, err := c.hub.Inflight.Add(l, CommandKey{id, "b"}, nil); err != nil {
		c.t.Fatal(err)
	}
	c.commands = append(c.commands, l)
}

// reply delivers a random reply to both.
func (c *groupCourse) reply() {
	r := modelled{Reply: filter.Reply{
		Sender: pick(c.random, "a", "b", "c", ""), Code: pick(c.random, "i", "i", "i", "w", ":", "f", "e", ">"),
		RoutingKey: pick(c.random, "reply.x", "reply.x.y", "reply.broadcast"), CommandID: pick(c.random, "", "1", "2"),
		Commander: pick(c.random, "", "x.a", "y.a"), Internal: c.random.IntN(4) == 0,
		Keywords: []string{"n", pick(c.random, "public", "secret", "other")},
	}}
	if n := len(c.commands); n > 0 && c.random.IntN(2) == 0 {
		at := c.random.IntN(n)
		r.from = c.commands[at]
		if r.from != nil {
			r.Sender, r.CommandID, r.Commander = "b", fmt.Sprint("command", at), "bridge.b"
			if strings.Contains(":f!", r.Code) {
				c.commands[at] = nil
			}
		}
	}
	order := int64(c.random.IntN(4))
	c.said = append(c.said, r)
	said := r.Reply
	said.Keywords = nil // the hub reads them
	c.saysAll(said, fmt.Sprintf(`{"n": %d, %q: 1}`, len(c.said), r.Keywords[1]), order)
	c.model.says(r, order)
	for _, l := range c.plain {
		if l.viewer.sees(&r.Reply) || l.viewer.ownOnly(&r) {
			l.want = append(l.want, uint64(len(c.said)))
		}
	}
}

// plainModel is a plain client, in the hub and in the model.
type plainModel struct {
	*recordingClient
	client *PlainClient
}

// connectPlain connects a plain client.
func (c *groupCourse) connectPlain() {
	self := pick(c.random, "x", "y", "z", "")
	l := &plainModel{recordingClient: &recordingClient{plain: true, self: self, viewer: randomViewer(c, self)}}
	var err error
	if l.client, err = c.hub.JoinPlain(l.viewer.viewer(), "127.0.0.1"); err != nil {
		c.t.Fatal(err)
	}
	l.Follow(l.client.Log())
	l.client.Open(l)
	c.plain = append(c.plain, l)
}

// change gives the client another viewer, or connects it anew.
func (l *plainModel) change(c *groupCourse) {
	v := randomViewer(c, l.self)
	if c.random.IntN(3) == 0 {
		l.client.Leave()
		l.Follow(nil)
		var err error
		if l.client, err = c.hub.JoinPlain(v.viewer(), "127.0.0.1"); err != nil {
			c.t.Fatal(err)
		}
		l.Follow(l.client.Log())
		l.client.Open(l)
	} else {
		l.client.SetViewer(v.viewer())
		done := make(chan struct{})
		c.hub.Do(func() { close(done) })
		testkit.Await(c.t, done)
	}
	l.viewer = v
}

// compare compares what a client got with what the model delivered to it.
func (c *groupCourse) compare(i int, l *recordingClient) {
	c.t.Helper()
	if l.plain {
		l.Follow(nil) // what its log holds back comes now
	} else {
		c.ask(l, "pong", `{"op": "ping"}`)
	}
	heard, same := l.replies(), 0
	if slices.Equal(heard, l.want) {
		return
	}
	for same < min(len(heard), len(l.want)) && heard[same] == l.want[same] {
		same++
	}
	c.t.Errorf("client %d: after %d replies it got %v, want %v", i, same, heard[same:min(same+10, len(heard))], l.want[same:min(same+10, len(l.want))])
}

func TestASubscriptionThatAClientHasTwiceIsOneInItsGroup(t *testing.T) {
	h := newHarness(t).hub
	twice := []subscription{
		{id: "a", spec: Spec{Filter: mustFilter(t, `{"sender": "a"}`), Batch: 20 * time.Millisecond}},
		{id: "b", spec: Spec{Filter: mustFilter(t, `{"sender": ["a"]}`), Batch: 10 * time.Millisecond}},
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, subs := range [][]subscription{twice, append(twice, subscription{id: "c", spec: Spec{Filter: all()}})} {
		g, err := h.join(subs, &Session{})
		if err != nil {
			t.Fatal(err)
		}
		if len(g.subs) != len(subs)-1 || g.subs[0].batch != 10*time.Millisecond {
			t.Errorf("of %d subscriptions, two of which are the same, its group has %d", len(subs), len(g.subs))
		}
	}
}
