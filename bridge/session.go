package bridge

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// Subprotocol is what a client names in its request to speak v1 from the start.
const Subprotocol = "clu-ws.v1"

// maxAsked is how many requests of one client may wait for the desk.
const maxAsked = 64

// client is a WebSocket client.
type client struct {
	remote string
	v1     atomic.Pointer[session] // nil while it is a plain one
	// commands are those without an outcome. leaving is set when the bridge wants
	// the client to go, which it does when there are none.
	commands atomic.Int32
	leaving  atomic.Bool
}

// session is what a v1 client has beyond a plain one.
type session struct {
	id    string
	asked atomic.Int32 // requests that wait for the desk
	since *since       // what the URL asks for
	wrong error        // with what the URL asks for

	// The following fields are guarded by hub.mu.
	follows bool   // it gets what comes
	from    uint64 // and has had all replies behind this one
	told    string // the broker's state as it knows it
	gone    bool
}

// since names the last reply that a client has had.
type since struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// newSession makes a client one that speaks v1.
func (b *Bridge) newSession(c *client) *session {
	s := &session{id: b.cfg.Name + "-" + strconv.FormatUint(b.sessions.Add(1), 10)}
	c.v1.Store(s)
	return s
}

// Accept lets every upgrade in, on any path, as CLU does. Who names the
// subprotocol or asks for something in the URL speaks v1.
func (b *Bridge) Accept(r *engine.Request) (engine.Welcome, error) {
	c := &client{remote: r.RemoteAddr().String()}
	w := engine.Welcome{Log: b.hub.plain, Session: c}
	asked := namesSubprotocol(r.Header("Sec-WebSocket-Protocol"))
	since, given, err := sinceOf(r)
	if !asked && !given {
		return w, nil
	}
	if asked {
		w.Subprotocol = Subprotocol
	}
	w.Log = nil // the hub has it follow, behind the greeting
	s := b.newSession(c)
	s.since, s.wrong = since, err
	return w, nil
}

// Open greets a v1 client. A plain one hears replies and nothing else.
func (b *Bridge) Open(conn engine.Conn, v any) {
	if s := v.(*client).v1.Load(); s != nil {
		b.desk.do(func() { b.greet(conn, s) })
	}
}

// Closed forgets a client.
func (b *Bridge) Closed(_ engine.Conn, v any, _ int, _ string) {
	if s := v.(*client).v1.Load(); s != nil {
		b.desk.do(func() { b.forget(s) })
	}
}

// greet sends the hello, and has the client follow: from now on, or from where
// its URL says.
func (b *Bridge) greet(conn engine.Conn, s *session) {
	h := b.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	hello := helloMessage{
		Op: "hello", Session: s.id, Name: b.cfg.Name, Version: b.cfg.Version,
		Epoch: h.epoch, Broker: h.link, Capabilities: capabilities,
	}
	if !h.loading {
		hello.Seq = &h.seq
	}
	s.told = h.link
	frames := []engine.Frame{frameOf(hello)}
	if s.wrong != nil {
		frames = append(frames, frameOf(errorMessage{Op: "error", Code: "bad_request", Message: s.wrong.Error()}))
	}
	if s.since == nil {
		h.follow(conn, s, frames...)
		return
	}
	conn.Follow(nil, frames...)
	h.resumeLater(conn, s, nil, *s.since)
}

// forget ends a session.
func (b *Bridge) forget(s *session) {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	if s.follows {
		b.hub.v1s--
	}
	s.follows, s.gone = false, true
}

// follow has a client follow what comes, behind these frames. mu is held.
func (h *hub) follow(conn engine.Conn, s *session, first ...engine.Frame) {
	if s.gone {
		return
	}
	if !s.follows {
		s.follows = true
		s.from = h.seq
		h.v1s++
	}
	conn.Follow(h.v1, first...)
}

// resumeLater answers a request for what a client has missed once the reply
// that it had last has been here too. mu is held.
func (h *hub) resumeLater(conn engine.Conn, s *session, id *string, from since) {
	wait := from.Seq
	if !h.shared || from.Epoch != h.epoch {
		wait = 0 // it will not come
	}
	h.await(wait, func() {
		answer := okMessage{Op: "ok", ID: id, Epoch: h.epoch, Seq: &h.seq}
		missing, reason := h.resume(from, s)
		resumed := reason == ""
		answer.Resumed, answer.Reason = &resumed, reason
		var first []engine.Frame
		if s.told != h.link {
			first = append(first, frameOf(brokerMessage{Op: "broker", State: h.link}))
		}
		first = append(first, frameOf(answer))
		h.follow(conn, s, append(first, missing...)...)
		if resumed {
			s.from = min(s.from, from.Seq)
		}
	})
}

// namesSubprotocol tells whether a client offers v1 among its subprotocols.
func namesSubprotocol(offered string) bool {
	for name := range strings.SplitSeq(offered, ",") {
		if strings.TrimSpace(name) == Subprotocol {
			return true
		}
	}
	return false
}

// sinceOf reads since=EPOCH:SEQ of a URL's query.
func sinceOf(r *engine.Request) (_ *since, given bool, _ error) {
	u, err := r.URL()
	if err != nil || u.RawQuery == "" {
		return nil, false, nil
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, false, nil // nobody can tell what it asks for: a plain client
	}
	text, given := values["since"]
	if !given {
		return nil, false, nil
	}
	epoch, number, ok := strings.Cut(text[0], ":")
	seq, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil || epoch == "" || len(text) > 1 {
		return nil, true, fmt.Errorf("since=%s in the URL is not understood; write since=EPOCH:SEQ with the epoch and seq of the last reply that you had; going on without", text[0])
	}
	return &since{epoch, seq}, true, nil
}

// errTooMuchAsked refuses a request of a client that has too many waiting.
var errTooMuchAsked = errors.New("too many requests of yours wait to be answered; wait for the answers")

// ask queues a request of a client for the desk.
func (b *Bridge) ask(s *session, task func()) error {
	if s.asked.Load() >= maxAsked {
		return errTooMuchAsked
	}
	s.asked.Add(1)
	b.desk.do(func() {
		s.asked.Add(-1)
		task()
	})
	return nil
}
