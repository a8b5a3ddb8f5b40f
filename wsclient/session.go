package wsclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

const (
	maxRequests      = 16  // questions without an answer
	maxSubscriptions = 44  // of a client. With the questions and the client's own, that is less than the bridge allows
	maxOutbox        = 256 // messages that wait for the socket; commands beyond it are rejected
)

// session is one connection. Its fields are guarded by the client's lock, except where noted.
type session struct {
	client *Client
	conn   *websocket.Conn // safe for concurrent use
	stop   context.CancelFunc
	wake   chan struct{} // has a token if the outbox may have something

	began  time.Time
	heard  atomic.Int64 // when something was last received, ns since began; no lock
	paused atomic.Bool  // the reader waits for the program; no lock

	outbox  []outgoing
	pending map[string]*request
	login   map[string]any // the credential to show, until it is accepted
	v1      bool
	greeted bool
	hello   *Hello // v1: until the login is accepted
	ended   bool
	why     error // why the client itself has ended it

	resuming map[string]bool // subscriptions whose answer is still to come, and that bring what was missed
	progress *progress       // of those
	direct   *lane           // the only one that resumes: what it missed comes in order
	marker   string          // the ping after which everything missed has come; "" without one
	missed   *Gap            // what is missing since the last connection; nil before it is known to be
	subOwn   bool            // the replies to this client's commands are asked for
	subOld   bool            // and those to commands of earlier connections
}

// outgoing is a message for the socket.
type outgoing struct {
	text    []byte
	command *Command // what the message sends; nil for others
	expires time.Time
}

// request is what waits for an answer. answered is called with the lock held, and returns whether more answers follow.
type request struct {
	op       string
	asked    time.Time
	answered func(m *message, err error) (more bool)
}

// message is a message of the bridge that is no reply.
type message struct {
	Op        string          `json:"op"`
	ID        *string         `json:"id"`
	Code      string          `json:"code"`
	Message   string          `json:"message"`
	CommandID string          `json:"command_id"`
	Status    string          `json:"status"`
	Resumed   *bool           `json:"resumed"`
	Reason    string          `json:"reason"`
	Epoch     string          `json:"epoch"`
	Seq       *uint64         `json:"seq"`
	Time      string          `json:"time"`
	From      *string         `json:"from"`
	To        string          `json:"to"`
	Count     int             `json:"count"`
	State     json.RawMessage `json:"state"`
	Data      json.RawMessage `json:"data"`
	Access    json.RawMessage `json:"access"`
	raw       json.RawMessage
}

func (m *message) err(op string) error {
	return &RequestError{Op: op, Code: m.Code, Message: m.Message}
}

// place is the place that a message tells; ok is false if it tells none.
func (m *message) place() (p Position, ok bool) {
	if m.Epoch == "" || m.Seq == nil {
		return p, false
	}
	return Position{Epoch: m.Epoch, Seq: *m.Seq}, true
}

// begin takes note of a new connection.
func (c *Client) begin(s *session, v1 bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == Closed {
		s.why = c.why
		s.stop()
		return
	}
	c.session, s.v1 = s, v1
	if !v1 {
		c.startPlain(s)
		return
	}
	if s.login != nil {
		s.showLogin(s.login)
	}
}

// endSession ends a connection for everything that depends on it, once.
func (c *Client) endSession(s *session, why error) {
	if s.ended {
		return
	}
	s.ended = true
	if s.why == nil {
		s.why = why
	}
	if c.session == s {
		c.session = nil
	}
	c.own.disconnected(s)
	s.outbox = nil
	for _, r := range s.pending {
		r.answered(nil, fmt.Errorf("%w: %w", ErrConnectionLost, why))
	}
	clear(s.pending)
	if !s.greeted {
		return
	}
	c.lastHeard = s.lastHeard().Round(0) // by the wall clock, which goes on while the computer sleeps
	for _, sub := range c.subs {
		sub.lane.lost(s.hello, s.progress.lost(sub.lane))
	}
	c.own.lane.lost(nil, -1)
	if c.state == Connected {
		c.setState(Connecting, why)
	}
}

// abandon notes why the client itself ends the connection, and reports whether it had not ended yet.
func (s *session) abandon(why error) bool {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	if s.ended {
		return false
	}
	if s.why == nil {
		s.why = why
	}
	return true
}

func (s *session) reason() error {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.why
}

func (s *session) isGreeted() bool {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.greeted
}

// send queues a message, with the lock held.
func (s *session) send(fields map[string]any) {
	s.queue(outgoing{text: encode(fields)})
}

func (s *session) queue(m outgoing) {
	s.outbox = append(s.outbox, m)
	signal(s.wake)
}

// encode writes a message. Its fields are of types that JSON can hold.
func encode(fields map[string]any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(fields); err != nil {
		panic(err) // the callers check what comes from the program
	}
	return bytes.TrimSpace(b.Bytes())
}

// next takes the next message for the socket. A command counts as sent from here on.
func (s *session) next() ([]byte, bool) {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	for len(s.outbox) > 0 {
		m := s.outbox[0]
		s.outbox = s.outbox[1:]
		if m.command != nil && !s.client.own.leaves(m) {
			continue
		}
		return m.text, true
	}
	return nil, false
}

// ask sends a request, with the lock held.
func (s *session) ask(id string, fields map[string]any, answered func(m *message, err error) bool) {
	op, _ := fields["op"].(string)
	fields["id"] = id
	s.pending[id] = &request{op: op, asked: time.Now(), answered: answered}
	s.send(fields)
}

// hear takes note that something was received.
func (s *session) hear() { s.heard.Store(int64(time.Since(s.began))) }

func (s *session) lastHeard() time.Time { return s.began.Add(time.Duration(s.heard.Load())) }

// probe asks for a sign of life.
func (s *session) probe(life context.Context) {
	s.client.mu.Lock()
	if !s.v1 {
		s.client.mu.Unlock()
		ctx, cancel := context.WithTimeout(life, s.client.cfg.PingAfter)
		defer cancel()
		if s.conn.Ping(ctx) == nil {
			s.hear()
		}
		return
	}
	defer s.client.mu.Unlock()
	if s.greeted {
		s.client.ping(s)
	}
}

// ping asks for the bridge's time and place, with the lock held.
func (c *Client) ping(s *session) {
	s.ask(c.newID("ping"), map[string]any{"op": "ping"}, func(*message, error) bool { return false })
}

// newID returns an id for a request, with the lock held.
func (c *Client) newID(kind string) string {
	c.lastID++
	return fmt.Sprintf("%s-%d", kind, c.lastID)
}
