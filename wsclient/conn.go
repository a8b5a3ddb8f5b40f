package wsclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// subprotocol is what a bridge names back, and CLU's own server does not.
const subprotocol = "clu-ws.v1"

// Close codes of the bridge, see docs/protocol.md.
const (
	closeExpired = 3000
	closeRevoked = 3003
	closeLate    = 3008 // no credential in time
)

const (
	maxMessage   = 256 << 20        // of the server: a snapshot is the longest
	writeTimeout = 10 * time.Second // of one message
	goodFor      = 5 * time.Second  // a connection that lasted so long was good: waits begin anew, and if its login then expires, a new one is worth an attempt
)

// run connects again and again, until the context ends or the server does not let the client in.
func (c *Client) run(ctx context.Context) {
	delay, renewed := c.cfg.MinDelay, false
	for {
		began := time.Now()
		greeted, err := c.connect(ctx)
		if ctx.Err() != nil || c.State() == Closed {
			return
		}
		lasted := time.Since(began)
		if greeted {
			renewed = renewed && lasted < goodFor
		}
		delay = c.delayAfter(delay, greeted, lasted)
		if refused, ok := errors.AsType[*RefusedError](err); ok {
			// A login that has expired is worth one attempt with a new one.
			again := (refused.Status == closeExpired || refused.Status == closeLate) && c.hasLogin() && !renewed
			if !again {
				c.finish(refused)
				return
			}
			renewed = true
		} else if c.cfg.FailFast && !c.wasGreeted() {
			c.finish(err)
			return
		}
		c.noteFailure(err)
		wait := delay/2 + rand.N(delay/2+1)
		if later, ok := errors.AsType[retryError](err); ok {
			wait = max(wait, later.after)
		}
		if !sleep(ctx, wait) {
			return
		}
		delay *= 2
	}
}

// delayAfter returns how long to wait at most after a connection, or an attempt to make one. A bridge that greets and
// closes is not asked again at once, again and again.
func (c *Client) delayAfter(delay time.Duration, greeted bool, lasted time.Duration) time.Duration {
	if greeted && lasted >= goodFor {
		return c.cfg.MinDelay
	}
	return min(delay, c.cfg.MaxDelay)
}

// sleep reports whether the time has passed before the context ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *Client) hasLogin() bool { return c.cfg.Token != nil || c.cfg.Ticket != nil }

func (c *Client) wasGreeted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.greeted
}

func (c *Client) noteFailure(err error) {
	c.log.Info("not connected", "url", c.target.Redacted(), "error", err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.why = err
}

// connect makes one connection, and returns when it has ended: whether the server has greeted the client on it, and why it
// ended.
func (c *Client) connect(ctx context.Context) (greeted bool, err error) {
	attempt, cancel := context.WithTimeout(ctx, c.cfg.ConnectTimeout)
	defer cancel()
	conn, login, err := c.dial(attempt)
	if err != nil {
		return false, err
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxMessage)

	life, stop := context.WithCancel(ctx)
	s := &session{client: c, conn: conn, stop: stop, began: time.Now(), wake: make(chan struct{}, 1), pending: map[string]*request{}, resuming: map[string]bool{}, progress: newProgress(), login: login}
	helpers := make(chan struct{}, 2)
	go func() { s.write(life); helpers <- struct{}{} }()
	go func() { s.watch(life); helpers <- struct{}{} }()

	c.begin(s, conn.Subprotocol() == subprotocol)
	err = s.read(life, attempt)
	c.mu.Lock()
	c.endSession(s, err)
	greeted = s.greeted
	c.mu.Unlock()
	stop()
	conn.CloseNow()
	<-helpers
	<-helpers
	return greeted, err
}

// dial makes the handshake. It returns the credential that is to be shown by the first message.
func (c *Client) dial(ctx context.Context) (conn *websocket.Conn, login map[string]any, err error) {
	header := c.cfg.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if c.cfg.Origin != "" {
		header.Set("Origin", c.cfg.Origin)
	}
	switch {
	case c.cfg.Token != nil:
		token, err := c.cfg.Token(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("there is no token: %w", err)
		}
		switch {
		case token == "":
		case c.cfg.TokenByMessage:
			login = map[string]any{"op": "auth", "token": token}
		default:
			header.Set("Authorization", "Bearer "+token)
		}
	case c.cfg.Ticket != nil:
		ticket, err := c.cfg.Ticket(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("there is no ticket: %w", err)
		}
		if ticket != "" {
			login = map[string]any{"op": "auth", "ticket": ticket}
		}
	}
	conn, answer, err := websocket.Dial(ctx, c.target.String(), &websocket.DialOptions{
		HTTPClient: c.http, HTTPHeader: header, Subprotocols: []string{subprotocol},
	})
	if err != nil {
		return nil, nil, c.handshakeError(answer, err)
	}
	return conn, login, nil
}

// handshakeError explains a failed handshake. The URL is not repeated, because it may hold a credential.
func (c *Client) handshakeError(answer *http.Response, err error) error {
	if answer == nil || answer.StatusCode == http.StatusSwitchingProtocols {
		cause := err
		if inner, ok := errors.AsType[*url.Error](err); ok {
			cause = inner.Err
		}
		return fmt.Errorf("cannot connect to %s://%s: %w", c.target.Scheme, c.target.Host, cause)
	}
	reason := http.StatusText(answer.StatusCode)
	if answer.Body != nil {
		if body, _ := io.ReadAll(io.LimitReader(answer.Body, 1024)); len(bytes.TrimSpace(body)) > 0 {
			reason = string(bytes.TrimSpace(body))
		}
	}
	refused := &RefusedError{Status: answer.StatusCode, Reason: reason}
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return refused
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return retryError{fmt.Errorf("the bridge is not available (%d): %s", answer.StatusCode, reason), time.Duration(seconds) * time.Second}
	default:
		return fmt.Errorf("the server does not speak WebSocket here (%d): %s", answer.StatusCode, reason)
	}
}

// read reads messages until the connection ends. The server has to greet the client before the attempt ends.
func (s *session) read(life, attempt context.Context) error {
	greeted := make(chan struct{})
	defer context.AfterFunc(attempt, func() {
		select {
		case <-greeted:
		default:
			if s.abandon(fmt.Errorf("the server has said no hello within %v", s.client.cfg.ConnectTimeout)) {
				s.conn.CloseNow()
			}
		}
	})()
	known := false
	var buf bytes.Buffer
	for {
		kind, r, err := s.conn.Reader(life)
		if err == nil {
			buf.Reset()
			_, err = buf.ReadFrom(living{r, s})
		}
		if err != nil {
			return s.explain(err)
		}
		s.client.receive(s, kind == websocket.MessageBinary, bytes.Clone(buf.Bytes()))
		if buf.Cap() > 1<<20 {
			buf = bytes.Buffer{}
		}
		if !known && s.isGreeted() {
			known = true
			close(greeted)
		}
		s.awaitRoom(life)
	}
}

// living reads a message. A long one on a slow line may take longer than the server may be silent, so each part of it
// is a sign of life.
type living struct {
	io.Reader
	session *session
}

func (l living) Read(b []byte) (int, error) {
	n, err := l.Reader.Read(b)
	l.session.hear()
	return n, err
}

// explain returns why a connection has ended.
func (s *session) explain(err error) error {
	closed, ok := errors.AsType[websocket.CloseError](err)
	if !ok {
		if why := s.reason(); why != nil {
			return why
		}
		return fmt.Errorf("the connection was lost: %w", err)
	}
	switch code := int(closed.Code); code {
	case closeExpired, closeRevoked, closeLate:
		return &RefusedError{Status: code, Reason: closed.Reason}
	case int(websocket.StatusTryAgainLater):
		return retryError{fmt.Errorf("the bridge has closed the connection (%d): %s", code, closed.Reason), time.Second}
	default:
		return fmt.Errorf("the bridge has closed the connection (%d): %s", code, closed.Reason)
	}
}

// awaitRoom waits while a lossless subscription is full. The connection counts as alive meanwhile.
func (s *session) awaitRoom(life context.Context) {
	for _, q := range s.client.losslessQueues() {
		for room := q.full(); room != nil; room = q.full() {
			s.paused.Store(true)
			select {
			case <-room:
			case <-life.Done():
			}
			s.hear()
			s.paused.Store(false)
			if life.Err() != nil {
				return
			}
		}
	}
}

// write sends what is in the outbox, in order.
func (s *session) write(life context.Context) {
	for {
		m, ok := s.next()
		if !ok {
			select {
			case <-s.wake:
				continue
			case <-life.Done():
				return
			}
		}
		ctx, cancel := context.WithTimeout(life, writeTimeout)
		err := s.conn.Write(ctx, websocket.MessageText, m)
		cancel()
		if err != nil {
			s.abandon(fmt.Errorf("the connection was lost: %w", err))
			sleep(life, closeGrace) // the server may have said why, and the reader comes to that
			s.conn.CloseNow()
			return
		}
	}
}

// watch notices a connection that is dead: it asks for a sign of life after silence, and gives the server as long again. It
// is dead only if nothing came after the question.
func (s *session) watch(life context.Context) {
	period := s.client.cfg.PingAfter
	var asked time.Time // when the sign was asked for that is still to come; zero if none is
	for wait := period; ; {
		due := time.Now().Add(wait)
		if !sleep(life, wait) {
			return
		}
		now, heard := time.Now(), s.lastHeard()
		answered := !heard.Before(asked)
		switch silent := now.Sub(heard); {
		case s.paused.Load() || answered && silent < period:
			asked = time.Time{}
			wait = period - min(silent, period/2)
		case answered || now.Sub(due) > period/2: // this process stood still: what came meanwhile is not read yet
			asked = now
			wait = period
			s.probe(life)
		default:
			s.abandon(fmt.Errorf("the server was silent for %v", silent.Round(time.Second)))
			s.conn.CloseNow()
			return
		}
	}
}
