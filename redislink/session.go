package redislink

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"
)

// transitTime is how long a message may take from its publisher to Redis when nothing holds it up.
const transitTime = 50 * time.Millisecond

// errUnsubscribed ends a connection whose subscriptions Redis has ended.
var errUnsubscribed = errors.New("the server ended a subscription")

// session is one connection.
type session struct {
	*Link
	conn *conn
	addr string

	// Of the reader only.
	confirmed int // channels
	channel   string

	// mu guards the following fields.
	mu     sync.Mutex
	asked  time.Time // when PING was sent that is not answered; zero if there is none
	agreed time.Time // when the server was last known to be the right one
	why    error     // why the link has closed the connection
}

// session connects, subscribes and delivers, until the connection or the context ends.
func (l *Link) session(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &session{Link: l}
	if err := s.subscribe(ctx); err != nil {
		return explain(err)
	}
	defer s.conn.close()
	_ = s.conn.SetDeadline(time.Time{})
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() { s.watch(ctx) })
	if l.to.follows() {
		watching.Go(func() { s.follow(ctx) })
	}
	for {
		said, err := s.conn.next()
		switch {
		case isServerError(err) && s.complete():
			s.answered() // nothing but PING was asked: Redis loads its data, say, or the user may not ask
		case err != nil:
			return s.reason(err)
		default:
			if err := s.take(said); err != nil {
				return err
			}
		}
	}
}

// subscribe connects, and asks for the channels.
func (s *session) subscribe(ctx context.Context) (err error) {
	if s.conn, s.addr, s.agreed, err = s.connect(ctx); err != nil {
		return err
	}
	if _, err = s.conn.Write(s.wanted.commands()); err != nil {
		if _, said := s.conn.next(); isServerError(said) {
			err = said
		}
		s.conn.close()
	}
	return err
}

// complete reports whether Redis has confirmed all channels.
func (s *session) complete() bool { return s.confirmed == s.wanted.len() }

// take takes what Redis says.
func (s *session) take(said []field) error {
	if len(said) == 0 {
		return errNotRedis
	}
	switch kind := string(said[0].text); {
	case kind == "message" && len(said) == 3:
		s.deliver(nil, said[1], said[2])
	case kind == "pmessage" && len(said) == 4:
		s.deliver(said[1].text, said[2], said[3])
	case kind == "pong", kind == "PONG":
		s.answered()
	case (kind == "subscribe" || kind == "psubscribe") && !s.complete():
		if s.confirmed++; s.complete() {
			s.stands()
		}
	case kind == "unsubscribe", kind == "punsubscribe":
		return errUnsubscribed
	default:
		return errNotRedis
	}
	return nil
}

// deliver delivers a message, which came by a pattern or by the name of its channel.
func (s *session) deliver(pattern []byte, channel, body field) {
	if string(channel.text) != s.channel { // most are of the same as the one before
		s.channel = string(channel.text)
	}
	if pattern != nil && s.wanted.len() > 1 && !s.wanted.firstBy(string(pattern), s.channel) {
		return
	}
	switch {
	case !channel.tooLong && !body.tooLong:
		s.cfg.Deliver(s.channel, body.text)
	case s.cfg.OnTooLong != nil:
		s.cfg.OnTooLong(s.channel, body.size)
	}
}

// stands notes that all channels are subscribed, and tells what was lost before.
func (s *session) stands() {
	if !s.verified.IsZero() && s.cfg.OnGap != nil {
		s.cfg.OnGap(s.verified.Add(-transitTime), time.Now())
	}
	s.mu.Lock()
	s.prove(s.conn.began)
	s.mu.Unlock()
	if s.verified.IsZero() {
		s.verified = s.conn.began
	}
	s.up()
}

// answered notes that Redis has answered PING: what it was sent before has come.
func (s *session) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.complete() && !s.asked.IsZero() {
		s.prove(s.asked)
	}
	s.asked = time.Time{}
}

// prove notes that nothing is missing that was published before a time, as far as the server is the
// right one. mu is held.
func (s *session) prove(until time.Time) {
	if agreed := s.agreed.Add(-s.to.newsTime()); s.to.follows() && agreed.Before(until) {
		until = agreed
	}
	if until.After(s.verified) {
		s.verified = until
	}
}

// watch asks Redis whether it is there, and closes a connection on which nothing comes although it is
// read.
func (s *session) watch(ctx context.Context) {
	every := time.NewTicker(s.cfg.PingEvery)
	defer every.Stop()
	ping := command("PING")
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		s.mu.Lock()
		asked := s.asked
		if asked.IsZero() {
			s.asked = time.Now()
		}
		s.mu.Unlock()
		switch {
		case asked.IsZero():
			_ = s.conn.SetWriteDeadline(time.Now().Add(ioTimeout))
			// The reader hears of other errors, behind what has come before them.
			if _, err := s.conn.Write(ping); errors.Is(err, os.ErrDeadlineExceeded) {
				s.leave(errSilent)
				return
			}
		case min(s.conn.heard.silentFor(), time.Since(asked)) >= s.cfg.silence:
			s.leave(errSilent)
			return
		}
	}
}

// follow leaves the server once another one is the right one.
func (s *session) follow(ctx context.Context) {
	every := time.NewTicker(s.cfg.PingEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		began := time.Now()
		err := s.confirm(ctx, s.addr)
		switch {
		case err == nil:
			s.mu.Lock()
			s.agreed = began
			s.mu.Unlock()
		case errors.Is(err, errMoved), errors.Is(err, errCutOff):
			s.leave(err)
			return
		}
	}
}

// leave closes the connection.
func (s *session) leave(why error) {
	s.mu.Lock()
	s.why = why
	s.mu.Unlock()
	_ = s.conn.heard.Close()
}

// reason returns why the connection has ended.
func (s *session) reason(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why != nil {
		return s.why
	}
	return explain(err)
}

// Check connects and subscribes as the link does, and returns what is wrong. It sends nothing else.
func (l *Link) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout+ioTimeout)
	defer cancel()
	cfg := l.cfg
	cfg.Deliver, cfg.OnTooLong, cfg.OnGap, cfg.Logger = func(string, []byte) {}, nil, nil, slog.New(slog.DiscardHandler)
	s := &session{Link: &Link{cfg: cfg, to: l.to, wanted: l.wanted}}
	err := s.subscribe(ctx)
	if err == nil {
		defer s.conn.close()
	}
	for err == nil && !s.complete() {
		var said []field
		if said, err = s.conn.next(); err == nil {
			err = s.take(said)
		}
	}
	if err == nil {
		return nil
	}
	err = explain(err)
	if ctx.Err() != nil {
		err = errSilent
	}
	switch {
	case errors.Is(err, errSilent) && l.to.tls != nil:
		return &advisedError{err.Error(), "see whether the port is for TLS; without, the URL begins with redis://"}
	case errors.Is(err, errClosed) && l.to.tls != nil:
		return &advisedError{err.Error(), adviceRefused}
	case errors.Is(err, errClosed):
		return &advisedError{err.Error(), "see whether the port is for TLS, for which the URL begins with rediss://"}
	}
	return err
}
