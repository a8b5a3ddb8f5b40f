//go:build unix

package engine

import (
	"container/list"
	"crypto/tls"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// counted starts a server that counts the handshakes that began to compute.
func counted(start starter, begun *atomic.Int32) *server {
	return start(Config{Limits: Limits{HeadTimeout: time.Minute}}, func(s *server) {
		s.tls = s.tls.Clone()
		s.tls.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			begun.Add(1)
			return nil, nil
		}
	})
}

// hold keeps handshakes from computing until the returned function is called.
func (q *handshakePool) hold() (release func()) {
	for range cap(q.cpus) {
		q.cpus <- struct{}{}
	}
	return func() {
		for range cap(q.cpus) {
			<-q.cpus
		}
	}
}

// firstActive returns the entry of the oldest active handshake.
func (q *handshakePool) firstActive() *list.Element {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.active.Front()
}

// countConns returns the number of connections, with those that are not open yet.
func (s *server) countConns() (n int) {
	for _, l := range s.loops {
		l.do(func() { n += int(l.conns.used) })
	}
	return n
}

// expectCounts waits until so many handshakes are active, and so many queued.
func (q *handshakePool) expectCounts(t *testing.T, underWay, waiting int) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, fmt.Sprintf("%d are active and %d queued", underWay, waiting), func() error {
		q.mu.Lock()
		defer q.mu.Unlock()
		if u, w := q.active.Len(), q.queue.Len(); u != underWay || w != waiting || int(q.waiting.Load()) != w {
			return fmt.Errorf("%d are, and %d", u, w)
		}
		return nil
	})
}

func TestAClientThatHangsUpLeavesTheQueueOfHandshakes(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		var begun atomic.Int32
		s := counted(start, &begun)
		q, hello := s.handshakes, helloOf(t)
		q.max.Store(0)
		var clients []*client
		for range 60 {
			c := s.dialRaw(t)
			c.send(hello)
			clients = append(clients, c)
		}
		q.expectCounts(t, 0, len(clients))
		for i, c := range clients {
			if i%2 == 0 { // it can no longer finish a handshake
				_ = c.Conn.(interface{ CloseWrite() error }).CloseWrite()
			} else {
				c.Close()
			}
		}
		q.expectCounts(t, 0, 0)
		if n := begun.Load(); n > 0 {
			t.Errorf("%d handshakes were begun", n)
		}
		q.max.Store(1)
		s.dial(t)
	})
}

// If the client sent something after its hello, only epoll reports that it has hung up.
func TestClientsThatHangUpInTheQueueCostNoHandshake(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		const clients = 60
		var begun atomic.Int32
		s := counted(start, &begun)
		q, hello := s.handshakes, helloOf(t)
		q.max.Store(1)
		release := q.hold()
		var gone []*client
		for range clients {
			c := s.dialRaw(t)
			c.send(hello)
			gone = append(gone, c)
		}
		q.expectCounts(t, 1, clients-1)
		first := q.firstActive()
		honest := s.dialRaw(t)
		honest.send(hello[:len(hello)-1])
		for _, c := range gone[1:] {
			c.send(make([]byte, 100))
			c.Close()
		}
		honest.send(hello[len(hello)-1:])
		// The first one is active, and waits to compute.
		gone[0].Close()
		testkit.WaitUntil(t, "only the honest one is left", func() bool { return s.countConns() == 1 && q.firstActive() != first })
		q.expectCounts(t, 1, 0)
		release()
		if _, err := honest.r.Peek(1); err != nil {
			t.Error(err)
		}
		if n := begun.Load(); n != 1 {
			t.Errorf("%d handshakes were begun, want the honest client's", n)
		}
	})
}

// The second of two is admitted in a turn of the loop that also ends it, so it never
// starts.
func TestAHandshakeThatEndsOnceAdmittedIsReleased(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1, Limits: Limits{HeadTimeout: time.Minute}})
		q, hello := s.handshakes, helloOf(t)
		q.max.Store(1)
		release := q.hold()
		s.dialRaw(t).send(hello)
		q.expectCounts(t, 1, 0)
		s.dialRaw(t).send(hello)
		q.expectCounts(t, 1, 1)
		l := s.loops[0]
		l.do(func() {
			q.mu.Lock()
			first, second := q.active.Front().Value.(*handshake), q.queue.Front().Value.(*handshake)
			q.mu.Unlock()
			l.drop(l.lookup(first.conn.connRef), 0, "")
			itsTurn := func() bool {
				q.mu.Lock()
				defer q.mu.Unlock()
				return second.stage == stageAdmitted
			}
			for deadline := time.Now().Add(testkit.Patience); !itsTurn() && time.Now().Before(deadline); {
				runtime.Gosched()
			}
			l.drop(l.lookup(second.conn.connRef), 0, "")
		})
		q.expectCounts(t, 0, 0)
		release()
		s.dial(t)
		q.expectCounts(t, 0, 0)
	})
}
