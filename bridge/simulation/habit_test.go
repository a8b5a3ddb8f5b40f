package simulation

import (
	"fmt"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// kind is how a client uses its connection.
type kind int

const (
	oneSubscription kind = iota // for all of the connection, asked for in its URL
	twoSubscriptions
	changingSubscriptions // from every reply to this and that
)

// habit is what a client does on each of its connections.
type habit struct {
	kind     kind
	specs    []selection
	throttle time.Duration
	batch    time.Duration
	ordered  bool
	snapshot bool
	slow     bool
}

// selection is a filter, and the same for the model.
type selection struct {
	text    string // "" selects everything
	selects func(*reply) bool
	values  bool // by sender or keyword alone, so that a snapshot has the latest values
}

func (s selection) String() string { return s.text }

func (s selection) filter() *filter.Filter {
	text := s.text
	if text == "" {
		text = "{}"
	}
	f, err := filter.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return f
}

var selections = []selection{
	{"", func(*reply) bool { return true }, true},
	{`{"sender": "dome"}`, func(r *reply) bool { return r.sender == "dome" }, true},
	{`{"sender": ["lamp", "sp*"]}`, func(r *reply) bool { return r.sender != "dome" }, true},
	{`{"keyword": "*_1"}`, func(r *reply) bool { return r.keyword[len(r.keyword)-1] == '1' }, true},
	{`{"message_code": [":", "f", "i"]}`, func(r *reply) bool { return r.code == ":" || r.code == "f" || r.code == "i" }, false},
}

func newHabit(rng source) habit {
	h := habit{kind: oneSubscription, slow: rng.IntN(4) == 0, snapshot: rng.IntN(3) == 0}
	h.specs = []selection{selections[rng.IntN(len(selections))], selections[rng.IntN(len(selections))]}
	switch rng.IntN(8) {
	case 0:
		h.kind = twoSubscriptions
	case 1:
		h.kind = changingSubscriptions
	case 2, 3:
		h.throttle, h.slow = time.Duration(50+rng.IntN(1500))*time.Millisecond, false
	case 4:
		h.ordered = true
	}
	if rng.IntN(3) == 0 {
		h.batch = time.Duration(1+rng.IntN(300)) * time.Millisecond
	}
	return h
}

func (h habit) String() string {
	return fmt.Sprintf("%d %q throttle %v batch %v ordered %v snapshot %v slow %v", h.kind, h.specs[:min(2, 1+int(h.kind))], h.throttle, h.batch, h.ordered, h.snapshot, h.slow)
}

// sub is a subscription of a connection.
type sub struct {
	id string
	selection
}

const epoch = "epoch"

func (h habit) spec(s selection) hub.Spec {
	return hub.Spec{Filter: s.filter(), Throttle: h.throttle, Ordered: h.ordered, Batch: h.batch}
}

// connectRequest is what the client asks for in its URL.
func (h habit) connectRequest(v *visit) *hub.ConnectRequest {
	r := &hub.ConnectRequest{Batch: h.batch}
	switch {
	case h.kind == twoSubscriptions:
		r.Silent = true
	case h.kind == changingSubscriptions, h.specs[0].text == "" && h.throttle == 0 && !h.ordered && !h.snapshot && v.since == nil:
		v.implicit, v.since = true, nil
	default:
		id := "url"
		v.subs = []sub{{id, h.specs[0]}}
		r.Subscribe = &hub.SubscribeRequest{ID: &id, Spec: h.spec(h.specs[0]), Snapshot: h.snapshot, Since: since(v)}
	}
	return r
}

func since(v *visit) *protocol.Since {
	if v.since == nil {
		return nil
	}
	return &protocol.Since{Epoch: epoch, Seq: *v.since}
}

// say sends the requests with which a connection begins, and reports whether they are answered.
func (c *client) say(v *visit) bool {
	if v.kind != twoSubscriptions || len(v.subs) > 0 {
		return true
	}
	var last string
	for _, s := range c.habit.specs {
		last = c.subscribe(v, s)
	}
	return v.await(5*time.Second, func(m *message) bool { return m.ID != nil && *m.ID == last })
}

// subscribe asks for a subscription.
func (c *client) subscribe(v *visit, s selection) string {
	c.requests++
	id := fmt.Sprintf("sub-%d", c.requests)
	v.subs = append(v.subs, sub{id, s})
	d := hub.SubscribeRequest{ID: &id, Spec: c.habit.spec(s), Since: since(v)}
	c.behindHello(func() {
		if err := c.w.hub.Subscribe(c.conn, c.conn.session, d, nil); err != nil {
			c.w.fail("client %d cannot subscribe: %v", c.number, err)
		}
	})
	return id
}

// behindHello does something once the connection has been greeted.
func (c *client) behindHello(do func()) {
	waits, err := c.w.hub.BeforeHello(c.conn.session, 100, func() func() { return do })
	if err != nil {
		c.w.fail("client %d is closed: %v", c.number, err)
	}
	if !waits {
		do()
	}
}

func (c *client) ping(*visit) string {
	c.requests++
	id := fmt.Sprintf("ping-%d", c.requests)
	c.behindHello(func() {
		if err := c.w.hub.Ping(c.conn, c.conn.session, &id, nil); err != nil {
			c.w.fail("client %d cannot ping: %v", c.number, err)
		}
	})
	return id
}

// act does one thing.
func (c *client) act(v *visit) {
	if !c.say(v) {
		return
	}
	switch n := c.rng.IntN(10); {
	case n < 5:
		c.command()
	case n < 7:
		c.ping(v)
	case n == 7:
		c.requests++
		id := fmt.Sprintf("snapshot-%d", c.requests)
		c.behindHello(func() {
			if err := c.w.hub.Snapshot(c.conn, c.conn.session, &id, selections[0].filter(), nil); err != nil {
				c.w.fail("client %d cannot ask for a snapshot: %v", c.number, err)
			}
		})
	case v.kind == changingSubscriptions:
		c.change(v)
	}
}

// change subscribes, or ends a subscription, and waits for the answer.
func (c *client) change(v *visit) {
	var id string
	if n := len(v.subs); n > 0 && c.rng.IntN(2) == 0 {
		c.requests++
		id = v.subs[c.rng.IntN(n)].id
		c.behindHello(func() { _ = c.w.hub.Unsubscribe(c.conn, c.conn.session, &id) })
		return
	}
	id = c.subscribe(v, c.habit.specs[c.rng.IntN(2)])
	v.await(2*time.Second, func(m *message) bool { return m.ID != nil && *m.ID == id })
}

// remember notes from where the client resumes next time.
func (c *client) remember(v *visit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	answered := 0
	for i := range v.came {
		m := &v.came[i]
		for _, s := range v.subs {
			if m.answers("ok", s.id) {
				answered++
			}
		}
		if v.kind == twoSubscriptions && answered < len(c.habit.specs) {
			continue
		}
		switch {
		case m.isReply(), m.Op == "pong", m.Op == "hello" && v.since == nil, m.answers("snapshot", "url"):
			if c.last == nil || m.Seq > *c.last {
				seq := m.Seq
				c.last = &seq
			}
		}
	}
}
