package redislink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gomodule/redigo/redis"
)

// transitTime is how long a message may take from its publisher to Redis when nothing holds it up.
const transitTime = 50 * time.Millisecond

// errSilent ends a connection on which nothing comes.
var errSilent = errors.New("the server does not answer")

// session is one connection.
type session struct {
	*Link
	pubsub redis.PubSubConn

	confirmed int // channels; of the reader only

	// mu guards the following fields.
	mu      sync.Mutex
	conns   []net.Conn
	dialled time.Time // the last of them
	asked   time.Time // when PING was sent that is not answered; zero if there is none
	silent  bool      // closed by watch
	reading bool      // Deliver is not running

	heardAny atomic.Int64 // when something came, in nanoseconds
}

// session connects, subscribes and delivers, until the connection or the context ends.
func (l *Link) session(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &session{Link: l}
	defer context.AfterFunc(ctx, s.closeAll)()
	if err := s.subscribe(ctx); err != nil {
		return explain(err)
	}
	defer s.pubsub.Close()
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() { s.watch(ctx) })
	for {
		s.setReading(true)
		m := s.pubsub.ReceiveWithTimeout(0)
		s.setReading(false)
		if err, failed := m.(error); failed {
			if s.wasSilent() {
				err = errSilent
			}
			return explain(err)
		}
		s.take(m)
	}
}

// subscribe connects, and asks for the channels.
func (s *session) subscribe(ctx context.Context) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	s.pubsub = redis.PubSubConn{Conn: conn}
	var names, patterns []any
	for _, c := range s.cfg.Channels {
		if isPattern(c) {
			patterns = append(patterns, c)
		} else {
			names = append(names, c)
		}
	}
	if len(names) > 0 {
		err = s.pubsub.Subscribe(names...)
	}
	if len(patterns) > 0 && err == nil {
		err = s.pubsub.PSubscribe(patterns...)
	}
	if err != nil {
		_ = s.pubsub.Close()
	}
	return err
}

// take takes what Redis says.
func (s *session) take(m any) {
	switch m := m.(type) {
	case redis.Subscription:
		if s.confirmed++; s.confirmed < len(s.cfg.Channels) {
			return
		}
		if !s.verified.IsZero() && s.cfg.OnGap != nil {
			s.cfg.OnGap(s.verified.Add(-transitTime), time.Now())
		}
		s.verified = s.sinceDialled()
		s.up()
	case redis.Pong:
		s.mu.Lock()
		if s.confirmed == len(s.cfg.Channels) && !s.asked.IsZero() {
			s.verified = s.asked
		}
		s.asked = time.Time{}
		s.mu.Unlock()
	case redis.Message:
		by := m.Pattern
		if by == "" {
			by = m.Channel
		}
		if len(s.cfg.Channels) == 1 || firstOf(s.cfg.Channels, by, m.Channel) {
			s.cfg.Deliver(m.Channel, m.Data)
		}
	}
}

// sinceDialled returns when the connection was made, before the channels were asked for.
func (s *session) sinceDialled() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dialled
}

// watch asks Redis whether it is there, and closes a connection on which nothing comes although it is
// read.
func (s *session) watch(ctx context.Context) {
	every := time.NewTicker(s.cfg.PingEvery)
	defer every.Stop()
	s.heard()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		s.mu.Lock()
		asked, reading := s.asked, s.reading
		if asked.IsZero() {
			s.asked = time.Now()
		}
		s.mu.Unlock()
		last := time.Unix(0, s.heardAny.Load())
		switch {
		case asked.IsZero():
			_ = s.pubsub.Ping("") // an error ends the session
		case reading && min(time.Since(last), time.Since(asked)) >= 2*s.cfg.PingEvery:
			s.mu.Lock()
			s.silent = true
			s.mu.Unlock()
			s.closeAll()
			return
		}
	}
}

// heard notes that something came.
func (s *session) heard() { s.heardAny.Store(time.Now().UnixNano()) }

// setReading notes whether what comes is read. While it is not, silence is no sign.
func (s *session) setReading(reading bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading = reading
	if reading {
		s.heard()
	}
}

func (s *session) wasSilent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.silent
}

// closeAll ends the connection under the library.
func (s *session) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		_ = conn.Close()
	}
}

// explain returns an error for the log.
func explain(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the server closed the connection")
	}
	return err
}

// Check connects and subscribes as the link does, and returns what is wrong. It sends nothing else.
func (l *Link) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout+ioTimeout)
	defer cancel()
	s := &session{Link: l}
	defer context.AfterFunc(ctx, s.closeAll)()
	if err := s.subscribe(ctx); err != nil {
		return explain(err)
	}
	defer s.pubsub.Close()
	for n := 0; n < len(l.cfg.Channels); {
		switch m := s.pubsub.ReceiveWithTimeout(0).(type) {
		case error:
			if ctx.Err() != nil {
				return fmt.Errorf("%w within %v", errSilent, dialTimeout+ioTimeout)
			}
			return explain(m)
		case redis.Subscription:
			n++
		}
	}
	return nil
}
