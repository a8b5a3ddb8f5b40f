package engine

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestADecisionThatIgnoresItsContextDoesNotHoldUpShutdown(t *testing.T) {
	log := &lockedBuffer{}
	deciding, release := make(chan bool, 1), make(chan struct{})
	s := start(t, Config{Logger: slog.New(slog.NewTextHandler(log, nil))}, func(s *server) {
		s.accept = func(*Request) (Accepted, error) {
			return Accepted{Later: func(context.Context) Decision {
				deciding <- true
				<-release
				return func() (Accepted, error) { return Accepted{Session: s}, nil }
			}}, nil
		}
	})
	defer close(release)
	s.dialTCP(t).send([]byte(upgradeRequest))
	testkit.Receive(t, deciding)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := s.Shutdown(ctx, "restarting"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
	if took := time.Since(began); took > 30*time.Second { // on a crowded machine
		t.Errorf("it took %v", took)
	}
	if !strings.Contains(log.String(), "decisions=1") {
		t.Errorf("the log does not say what is left: %s", log.String())
	}
}

// moods are how long decisions take, and what they are.
var moods = []struct {
	after time.Duration
	err   error
}{
	{0, nil}, {0, nil}, {time.Millisecond, nil}, {20 * time.Millisecond, nil},
	{0, &RejectError{Status: http.StatusUnauthorized}}, {5 * time.Millisecond, &RejectError{Status: http.StatusForbidden}},
	{time.Hour, nil},
}

// TestNothingIsLeftOfParkedClientsWhateverTheyDo lets clients of every kind meet decisions of
// every kind, at the limits on connections and on decisions.
func TestNothingIsLeftOfParkedClientsWhateverTheyDo(t *testing.T) {
	inEveryWayAlone(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 2, Limits: Limits{MaxConnections: 40, DecisionTimeout: 300 * time.Millisecond, MaxHead: 500}}, func(s *server) {
			s.decisions.max = 10
			s.accept = func(*Request) (Accepted, error) {
				mood := moods[rand.IntN(len(moods))]
				return Accepted{Later: func(ctx context.Context) Decision {
					select {
					case <-ctx.Done():
					case <-time.After(mood.after):
					}
					return func() (Accepted, error) { return Accepted{Log: s.log, Session: s}, mood.err }
				}}, nil
			}
		})
		var clients sync.WaitGroup
		for range 8 {
			clients.Go(func() {
				for range 40 {
					s.approach(t)
				}
			})
		}
		clients.Wait()
		s.awaitParked(t, 0)
		testkit.WaitUntil(t, "no connection is left", func() bool { return s.connections() == 0 })
		if opened, closed := len(s.opened), len(s.closed); opened != closed || opened == 0 {
			t.Errorf("%d were opened and %d closed", opened, closed)
		}
		testkit.WaitUntil(t, "nothing is counted any more", func() bool {
			s.limiter.mu.Lock()
			defer s.limiter.mu.Unlock()
			return s.limiter.total == 0 && s.limiter.reserved == 0 && s.limiter.evictable.oldest == nil
		})
	})
}

// connections returns the number of connections in all stages.
func (s *server) connections() (n int) {
	for _, l := range s.loops {
		l.do(func() { n += l.conns.used })
	}
	return n
}

// approach connects in one of many ways and leaves again.
func (s *server) approach(t *testing.T) {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
	c := &client{t, conn, bufio.NewReader(conn)}
	c.startTLS(s)
	early := masked(true, ws.OpText, strings.Repeat("x", rand.IntN(600)))
	switch rand.IntN(5) {
	case 0: // hangs up at once
		_, _ = c.Write([]byte(upgradeRequest))
	case 1: // sends before it may
		_, _ = c.Write(join([]byte(upgradeRequest), early))
		_, _ = http.ReadResponse(c.r, nil)
	case 2: // sends more, later
		_, _ = c.Write([]byte(upgradeRequest))
		_, _ = c.Write(early)
		_, _ = http.ReadResponse(c.r, nil)
	case 3: // does not finish its request
		_, _ = io.WriteString(c, upgradeRequest[:len(upgradeRequest)-2])
	default: // waits
		_, _ = c.Write([]byte(upgradeRequest))
		_, _ = http.ReadResponse(c.r, nil)
	}
}
