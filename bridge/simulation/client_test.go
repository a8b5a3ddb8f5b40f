package simulation

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// client is a v1 client that connects repeatedly, always with the same profile.
type client struct {
	w       *world
	number  int
	rng     source
	remote  string
	profile profile
	hurries atomic.Bool // it does not read slowly any more
	last    *uint64     // the number from which it resumes; nil before the first reply

	conn     *conn
	reading  sync.WaitGroup
	records  []*record // one for each connection
	requests int
}

// record is one connection of a client, with every message that came over it.
type record struct {
	kind     kind
	subs     []sub // requested in the URL or by messages
	implicit bool  // every reply until the first subscription
	view     selector
	since    *uint64

	mu    sync.Mutex // guards the following fields
	came  []message
	news  chan struct{} // closed and replaced when something came
	ended bool
}

// message is a message to a client, as far as the models need it.
type message struct {
	at time.Time

	Op      string
	ID      *string
	Seq     uint64
	Heard   int64
	Resumed *bool
	Reason  string
	Code    string
	Status  string
	State   string // of a notice
	Broker  string // of the greeting
	Replies int
	To      string
	Actors  map[string]struct {
		Keywords map[string]struct {
			Value int
			Seq   uint64
		}
	}
}

// isReply reports whether the message is a reply of an actor.
func (m *message) isReply() bool { return m.Op == "" }

// answers reports whether the message is the answer to a request.
func (m *message) answers(op, id string) bool { return m.Op == op && m.ID != nil && *m.ID == id }

func newClient(w *world, number int) *client {
	c := &client{w: w, number: number, rng: w.source("client", number), remote: fmt.Sprintf("10.0.0.%d", number)}
	c.profile = newProfile(c.rng)
	return c
}

// use connects repeatedly until the world ends, and then once more.
func (c *client) use(ending chan struct{}) {
	for !c.wait(ending, c.exp(3*time.Second)) {
		c.useOnce(ending)
	}
	c.hurries.Store(true)
	v := c.connect()
	for ; !c.say(v) && !v.isOver(); pass(time.Second) {
	}
	c.note("last connection")
	c.finish(v)
}

func (c *client) note(what string) { c.w.note("client %d: %s", c.number, what) }

func (c *client) exp(mean time.Duration) time.Duration {
	return time.Duration(c.rng.ExpFloat64()*float64(mean)) + time.Duration(1+c.rng.IntN(1000))
}

// wait waits, and reports whether the world ends.
func (c *client) wait(ending chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ending:
		return true
	case <-timer.C:
		return false
	}
}

// useOnce connects, sends requests for a while, and hangs up.
func (c *client) useOnce(ending chan struct{}) {
	v := c.connect()
	for range c.rng.IntN(20) {
		if c.wait(ending, c.exp(700*time.Millisecond)) || v.isOver() {
			break
		}
		c.act(v)
	}
	c.leave(v)
}

// leave hangs up.
func (c *client) leave(v *record) {
	c.conn.leave()
	c.reading.Wait()
	c.w.hub.Inflight.Leave(c.conn)
	c.w.hub.Forget(c.conn.session)
	c.remember(v)
}

// hangUp ends the last connection.
func (c *client) hangUp() { c.leave(c.records[len(c.records)-1]) }

// finish lets pending replies arrive, and sends a last ping.
func (c *client) finish(v *record) {
	pass(3 * time.Second) // throttle windows end
	id := c.ping(v)
	if !v.await(time.Minute, func(m *message) bool { return m.answers("pong", id) }) && !v.isOver() {
		c.w.fail("client %d: the last ping is not answered", c.number)
	}
}

// connect opens a connection.
func (c *client) connect() *record {
	v := &record{kind: c.profile.kind, view: c.profile.view, news: make(chan struct{})}
	if c.last != nil && c.rng.IntN(8) > 0 {
		last := *c.last
		v.since = &last
	}
	c.records = append(c.records, v)
	id := fmt.Sprintf("%s-%d-%d", bridgeName, c.number, len(c.records))
	c.conn = &conn{c: c, readable: make(chan struct{}, 1), session: hub.NewSession(id, c.remote)}
	c.conn.session.Restrict(c.profile.viewer(), nil)
	request := c.profile.connectRequest(v)
	c.conn.session.Batch = request.Batch
	c.note(fmt.Sprintf("connects as %v since %s", c.profile, show(v.since)))
	c.w.hub.Greet(c.conn, c.conn.session, request, protocol.Hello{Op: "hello"})
	on := c.conn
	c.reading.Go(func() { c.read(on, v) })
	return v
}

func show(n *uint64) string {
	if n == nil {
		return "nothing"
	}
	return fmt.Sprint(*n)
}

// read records messages, at the client's pace.
func (c *client) read(on *conn, v *record) {
	rng := c.w.source("reader", c.number*1000+len(c.records))
	var whole []byte
	for f := on.take(); f != nil; f = on.take() {
		payload, final := payloadOf(f)
		if whole = append(whole, payload...); !final {
			continue
		}
		m := message{at: time.Now()}
		if err := json.Unmarshal(whole, &m); err != nil {
			c.w.fail("client %d got %q: %v", c.number, whole, err)
		}
		if c.w.verbose {
			c.w.note("client %d gets %s", c.number, string(whole))
		}
		whole = whole[:0]
		v.add(m)
		if c.profile.slow && !c.hurries.Load() && rng.IntN(10) == 0 {
			pass(time.Duration(rng.Int64N(int64(time.Second))))
		}
	}
	v.over()
}

// payloadOf returns the payload of a frame, and whether it ends a message.
func payloadOf(f engine.Frame) (payload []byte, final bool) {
	head := 2
	switch f[1] {
	case 126:
		head = 4
	case 127:
		head = 10
	}
	return f[head:], f[0]&0x80 != 0
}

func (v *record) add(m message) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.came = append(v.came, m)
	close(v.news)
	v.news = make(chan struct{})
}

func (v *record) over() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ended = true
	close(v.news)
	v.news = make(chan struct{})
}

func (v *record) isOver() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ended
}

// await waits for a message, and reports whether it came before the connection ended.
func (v *record) await(d time.Duration, wanted func(*message) bool) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for from := 0; ; {
		v.mu.Lock()
		for ; from < len(v.came); from++ {
			if wanted(&v.came[from]) {
				v.mu.Unlock()
				return true
			}
		}
		news, ended := v.news, v.ended
		v.mu.Unlock()
		if ended {
			return false
		}
		select {
		case <-news:
		case <-timer.C:
			return false
		}
	}
}
