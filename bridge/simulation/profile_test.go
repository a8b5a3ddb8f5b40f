package simulation

import (
	"fmt"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// kind is how a client uses a connection.
type kind int

const (
	oneSubscription kind = iota // requested in the URL, for the whole connection
	twoSubscriptions
	changingSubscriptions // subscribes and unsubscribes
)

// profile is what a client does on each connection.
type profile struct {
	kind     kind
	specs    []selector
	throttle time.Duration
	batch    time.Duration
	ordered  bool
	snapshot bool
	slow     bool
	view     selector // what it may hear
}

// selector is a filter and its model.
type selector struct {
	text    string // "" selects everything
	selects func(*reply) bool
	values  bool // snapshots of it have the latest values: it selects by sender or keyword alone
}

func (s selector) String() string { return s.text }

func (s selector) filter() *filter.Filter {
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

var selectors = []selector{
	{"", func(*reply) bool { return true }, true},
	{`{"sender": "dome"}`, func(r *reply) bool { return r.sender == "dome" }, true},
	{`{"sender": ["lamp", "sp*"]}`, func(r *reply) bool { return r.sender != "dome" }, true},
	{`{"keyword": "*_1"}`, func(r *reply) bool { return r.keyword[len(r.keyword)-1] == '1' }, true},
	{`{"message_code": [":", "f", "i"]}`, func(r *reply) bool { return r.code == ":" || r.code == "f" || r.code == "i" }, false},
}

func newProfile(rng source) profile {
	h := profile{kind: oneSubscription, slow: rng.IntN(4) == 0, snapshot: rng.IntN(3) == 0}
	h.specs = []selector{selectors[rng.IntN(len(selectors))], selectors[rng.IntN(len(selectors))]}
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
	h.view = selectors[max(0, rng.IntN(2*len(selectors))-len(selectors))] // everything for half of them
	if rng.IntN(3) == 0 {
		h.batch = time.Duration(1+rng.IntN(300)) * time.Millisecond
	}
	return h
}

func (h profile) String() string {
	return fmt.Sprintf("%d %q throttle %v batch %v ordered %v snapshot %v slow %v view %q", h.kind, h.specs[:min(2, 1+int(h.kind))], h.throttle, h.batch, h.ordered, h.snapshot, h.slow, h.view)
}

// viewer returns what the client may hear, for the hub.
func (h profile) viewer() *hub.Viewer {
	return &hub.Viewer{View: filter.NewView([]*filter.Filter{h.view.filter()}, nil), Detailed: true}
}

// sub is a subscription of a connection.
type sub struct {
	id string
	selector
}

const epoch = "epoch"

func (h profile) spec(s selector) hub.Spec {
	return hub.Spec{Filter: s.filter(), Throttle: h.throttle, Ordered: h.ordered, Batch: h.batch}
}

// connectRequest returns what the client requests in its URL.
func (h profile) connectRequest(v *record) *hub.ConnectRequest {
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

func since(v *record) *protocol.Since {
	if v.since == nil {
		return nil
	}
	return &protocol.Since{Epoch: epoch, Seq: *v.since}
}

// say sends the first requests of a connection, and reports whether they have been answered.
func (c *client) say(v *record) bool {
	if v.kind != twoSubscriptions || len(v.subs) > 0 {
		return true
	}
	var last string
	for _, s := range c.profile.specs {
		last = c.subscribe(v, s)
	}
	return v.await(5*time.Second, func(m *message) bool { return m.ID != nil && *m.ID == last })
}

// subscribe requests a subscription, and returns its id.
func (c *client) subscribe(v *record, s selector) string {
	c.requests++
	id := fmt.Sprintf("sub-%d", c.requests)
	v.subs = append(v.subs, sub{id, s})
	d := hub.SubscribeRequest{ID: &id, Spec: c.profile.spec(s), Since: since(v)}
	c.afterHello(func() {
		if err := c.w.hub.Subscribe(c.conn, c.conn.session, d, nil); err != nil {
			c.w.fail("client %d cannot subscribe: %v", c.number, err)
		}
	})
	return id
}

// afterHello calls do once the connection has been greeted.
func (c *client) afterHello(do func()) {
	waits, err := c.w.hub.BeforeHello(c.conn.session, 100, func() func() { return do })
	if err != nil {
		c.w.fail("client %d is closed: %v", c.number, err)
	}
	if !waits {
		do()
	}
}

func (c *client) ping(*record) string {
	c.requests++
	id := fmt.Sprintf("ping-%d", c.requests)
	c.afterHello(func() {
		if err := c.w.hub.Ping(c.conn, c.conn.session, &id, nil); err != nil {
			c.w.fail("client %d cannot ping: %v", c.number, err)
		}
	})
	return id
}

// act sends one request.
func (c *client) act(v *record) {
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
		c.afterHello(func() {
			if err := c.w.hub.Snapshot(c.conn, c.conn.session, &id, selectors[0].filter(), nil); err != nil {
				c.w.fail("client %d cannot request a snapshot: %v", c.number, err)
			}
		})
	case v.kind == changingSubscriptions:
		c.change(v)
	}
}

// change subscribes or unsubscribes.
func (c *client) change(v *record) {
	var id string
	if n := len(v.subs); n > 0 && c.rng.IntN(2) == 0 {
		c.requests++
		id = v.subs[c.rng.IntN(n)].id
		c.afterHello(func() { _ = c.w.hub.Unsubscribe(c.conn, c.conn.session, &id) })
		return
	}
	id = c.subscribe(v, c.profile.specs[c.rng.IntN(2)])
	v.await(2*time.Second, func(m *message) bool { return m.ID != nil && *m.ID == id })
}

// remember records the number from which the client resumes next.
func (c *client) remember(v *record) {
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
		if v.kind == twoSubscriptions && answered < len(c.profile.specs) {
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
