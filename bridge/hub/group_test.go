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

func TestGroupsDeliverWhatAModelDeliversToEachClient(t *testing.T) {
	forEachSeed(t, 7, func(t *testing.T, random *rand.Rand) {
		c := &groupCourse{hubHarness: newHarness(t), model: newModel(), random: random}
		for range 12 {
			c.connect()
		}
		for range 600 {
			c.step()
		}
		delivered := 0
		for i, l := range c.clients {
			c.compare(i, l)
			delivered += len(l.want)
		}
		if delivered < 500 {
			t.Errorf("only %d deliveries were compared", delivered)
		}
	})
}

// groupCourse is a random course of subscriptions and replies, in a hub and in its model.
type groupCourse struct {
	*hubHarness
	model   *model
	random  *rand.Rand
	clients []*recordingClient
	names   int
}

// connect connects a client that subscribes to everything.
func (c *groupCourse) connect() {
	l := c.hubHarness.connect()
	c.ask(l, "ok", `{"op": "subscribe", "id": "first"}`)
	l.specs["first"] = modelSpec{filter: mustFilter(c.t, `{}`)}
	c.model.move(l)
	c.clients = append(c.clients, l)
}

// step makes a client change its subscriptions, lets time pass, or delivers a reply.
func (c *groupCourse) step() {
	l := pick(c.random, c.clients...)
	switch action := c.random.IntN(10); {
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
		`{"sender": "c", "message_code": "i"}`, `{"internal": true}`, `{"routing_key": "reply.x.#"}`, `{"commander": ["x.*"]}`, `{"command_id": "1"}`)
	spec := modelSpec{
		filter:   mustFilter(c.t, text),
		throttle: pick[time.Duration](c.random, 0, 0, 17, 29, 43) * time.Millisecond, // without small common multiples
		ordered:  c.random.IntN(4) == 0,
		batch:    pick[time.Duration](c.random, 0, 0, 2, 1000) * time.Millisecond,
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

// reply delivers a random reply to both.
func (c *groupCourse) reply() {
	r := filter.Reply{
		Sender: pick(c.random, "a", "b", "c", ""), Code: pick(c.random, "i", "i", "i", "w", ":", "f", "e", ">"),
		RoutingKey: pick(c.random, "reply.x", "reply.x.y", "reply.broadcast"), CommandID: pick(c.random, "", "1", "2"),
		Commander: pick(c.random, "", "x.a", "y.a"), Internal: c.random.IntN(4) == 0,
	}
	order := int64(c.random.IntN(4))
	c.says(r, order)
	c.model.says(r, order)
}

// compare compares what a client got with what the model delivered to it.
func (c *groupCourse) compare(i int, l *recordingClient) {
	c.t.Helper()
	c.ask(l, "pong", `{"op": "ping"}`)
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
	s := newHarness(t)
	l := s.connect()
	s.ask(l, "ok", `{"op": "subscribe", "id": "a", "filter": {"sender": "a"}, "batch_ms": 20}`)
	s.ask(l, "ok", `{"op": "subscribe", "id": "b", "filter": {"sender": ["a"]}, "batch_ms": 10}`)
	if subs := l.session.group.subs; len(subs) != 1 || subs[0].batch != 10*time.Millisecond {
		t.Errorf("its group has %d subscriptions", len(subs))
	}
}
