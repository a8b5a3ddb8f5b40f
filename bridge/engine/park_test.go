package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// judge decides on parked connections when a test says so.
type judge struct {
	parked  chan struct{} // one for each request that is being decided
	ended   chan struct{} // one for each whose context has ended
	verdict chan error    // nil accepts
}

// parkEverything parks every request, until the judge decides or the context ends.
func parkEverything(s *server) *judge {
	j := &judge{make(chan struct{}, 2000), make(chan struct{}, 2000), make(chan error, 2000)}
	s.accept = func(*Request) (Accepted, error) {
		return Accepted{Later: func(ctx context.Context) Decision {
			j.parked <- struct{}{}
			select {
			case err := <-j.verdict:
				return func() (Accepted, error) { return Accepted{Log: s.log, Session: s}, err }
			case <-ctx.Done():
				j.ended <- struct{}{}
				return nil
			}
		}}, nil
	}
	return j
}

// startParking starts a server with a judge.
func startParking(start starter, cfg Config) (s *server, j *judge) {
	s = start(cfg, func(s *server) { j = parkEverything(s) })
	return s, j
}

// awaitParked waits until so many decisions run or are queued.
func (s *server) awaitParked(t *testing.T, want int) {
	t.Helper()
	testkit.WaitUntil(t, fmt.Sprint(want, " decisions are left"), func() bool { return s.Stats().Parked == want })
}

func TestAParkedConnectionOpensOnceItIsAccepted(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s, j := startParking(start, Config{})
		c := s.dialTCP(t)
		c.send([]byte(upgradeRequest))
		testkit.Receive(t, j.parked)
		s.log.Append(Text("before"))
		j.verdict <- nil
		if got := c.response(); got.StatusCode != http.StatusSwitchingProtocols || got.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
			t.Fatalf("answered %s with %q", got.Status, got.Header)
		}
		testkit.Receive(t, s.opened)
		s.log.Append(Text("after"))
		c.expect("after")
		c.send(masked(true, ws.OpText, "hello"))
		if got := testkit.Receive(t, s.messages); got != "hello" {
			t.Errorf("got %q", got)
		}
		s.awaitParked(t, 0)
	})
}

func TestAParkedConnectionIsRefusedAsAnyOther(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s, j := startParking(start, Config{})
		c := s.dialTCP(t)
		c.send([]byte(upgradeRequest))
		j.verdict <- &RejectError{Status: http.StatusUnauthorized, Reason: "The token has expired; get a new one."}
		got := c.response()
		body, _ := io.ReadAll(got.Body)
		if got.StatusCode != http.StatusUnauthorized || got.Header.Get("WWW-Authenticate") != "Bearer" || string(body) != "The token has expired; get a new one.\n" {
			t.Errorf("answered %s with %q and %q", got.Status, got.Header, body)
		}
	})
}

func TestWhatAClientSendsWhileItIsParkedIsKept(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s, j := startParking(start, Config{})
		c := s.dialTCP(t)
		c.send([]byte(upgradeRequest), masked(true, ws.OpText, "with the head"))
		testkit.Receive(t, j.parked)
		c.send(masked(true, ws.OpText, "after it"))
		j.verdict <- nil
		c.response()
		for _, want := range []string{"with the head", "after it"} {
			if got := testkit.Receive(t, s.messages); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

func TestAParkedClientCannotSendWithoutBound(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s, j := startParking(start, Config{Limits: Limits{MaxHead: 1000}})
		c := s.dialTCP(t)
		c.send([]byte(upgradeRequest))
		testkit.Receive(t, j.parked)
		c.send(bytes.Repeat([]byte("x"), 1001))
		if got := c.response(); got.StatusCode != http.StatusBadRequest {
			t.Errorf("answered %s", got.Status)
		}
		testkit.Receive(t, j.ended)
	})
}

func TestAClientThatHangsUpEndsItsDecision(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s, j := startParking(start, Config{})
		c := s.dialTCP(t)
		c.send([]byte(upgradeRequest))
		testkit.Receive(t, j.parked)
		c.Close()
		testkit.Receive(t, j.ended)
		if s.Stats().Accepted > 0 || len(s.opened)+len(s.closed) > 0 {
			t.Error("it was opened")
		}
	})
}

func TestADecisionHasADeadline(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		kinds := make(chan string, 1)
		s, j := startParking(start, Config{Limits: Limits{DecisionTimeout: 300 * time.Millisecond},
			Rejected: func(r *RejectError, _ netip.AddrPort) { kinds <- r.Kind }})
		c := s.dialTCP(t)
		c.send([]byte(upgradeRequest))
		got := c.response()
		if after := got.Header.Get("Retry-After"); got.StatusCode != http.StatusServiceUnavailable || len(after) == 0 || after < "5" && len(after) == 1 {
			t.Errorf("answered %s with %q", got.Status, got.Header)
		}
		testkit.Receive(t, j.ended) // and its result is ignored
		if kind := testkit.Receive(t, kinds); kind != KindUndecided {
			t.Errorf("the kind is %q", kind)
		}
	})
}

func TestADecisionThatComesTooLateIsIgnored(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		decide, decided := make(chan struct{}), make(chan bool, 1)
		s := start(Config{Limits: Limits{DecisionTimeout: 300 * time.Millisecond}}, func(s *server) {
			s.accept = func(*Request) (Accepted, error) {
				return Accepted{Later: func(context.Context) Decision {
					<-decide
					return func() (Accepted, error) { decided <- true; return Accepted{Session: s}, nil }
				}}, nil
			}
		})
		c := s.dialTCP(t)
		c.send([]byte(upgradeRequest))
		if got := c.response(); got.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("answered %s", got.Status)
		}
		close(decide)
		s.awaitParked(t, 0)
		for _, l := range s.loops {
			l.do(func() {})
		}
		if len(decided)+len(s.opened) > 0 {
			t.Error("it opens after its refusal")
		}
	})
}

func TestShutdownEndsDecisions(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s, j := startParking(start, Config{})
		c := s.dialTCP(t)
		c.send([]byte(upgradeRequest))
		testkit.Receive(t, j.parked)
		if err := s.Shutdown(t.Context(), "restarting"); err != nil {
			t.Error(err)
		}
		got := c.response()
		body, _ := io.ReadAll(got.Body)
		if got.StatusCode != http.StatusServiceUnavailable || string(body) != "restarting\n" {
			t.Errorf("answered %s with %q", got.Status, body)
		}
		testkit.Receive(t, j.ended)
		j.verdict <- nil
		if len(s.opened) > 0 {
			t.Error("it opens after the end")
		}
	})
}

func TestADecisionThatFailsIsAnInternalError(t *testing.T) {
	for name, later := range map[string]func(context.Context) Decision{
		"panics":                func(context.Context) Decision { panic("on purpose") },
		"ends its goroutine":    func(context.Context) Decision { runtime.Goexit(); return nil },
		"returns nothing":       func(context.Context) Decision { return nil },
		"panics on the loop":    func(context.Context) Decision { return func() (Accepted, error) { panic("on purpose") } },
		"follows a foreign log": func(context.Context) Decision { return func() (Accepted, error) { return Accepted{Log: &Log{}}, nil } },
		"splits the response": func(context.Context) Decision {
			return func() (Accepted, error) { return Accepted{Subprotocol: "a\r\nb: c"}, nil }
		},
		"parks the client again": func(context.Context) Decision {
			return func() (Accepted, error) { return Accepted{Later: decideNothing}, nil }
		},
		"returns some other error": func(context.Context) Decision { return func() (Accepted, error) { return Accepted{}, io.EOF } },
	} {
		t.Run(name, func(t *testing.T) {
			inEveryWay(t, func(t *testing.T, start starter) {
				s := start(Config{}, func(s *server) {
					s.accept = func(r *Request) (Accepted, error) {
						if r.Target() == "/fine" {
							return Accepted{Session: s}, nil
						}
						return Accepted{Later: later}, nil
					}
				})
				c := s.dialTCP(t)
				c.send([]byte(upgradeRequest))
				if got := c.response(); got.StatusCode != http.StatusInternalServerError {
					t.Errorf("answered %s", got.Status)
				}
				s.dialTCP(t).upgrade("/fine")
			})
		})
	}
}

func decideNothing(context.Context) Decision { return nil }

func TestManyDecisionsAreQueuedAndAllAreMade(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const atATime, clients = 3, 40
		s, j := startParking(start, Config{})
		s.decisions.max = atATime
		var parked []*client
		for range clients {
			c := s.dialTCP(t)
			c.send([]byte(upgradeRequest))
			parked = append(parked, c)
		}
		s.awaitParked(t, clients)
		if n := len(j.parked); n > atATime {
			t.Errorf("%d are decided at a time", n)
		}
		parked[clients-1].Close() // in the queue
		s.awaitParked(t, clients-1)
		for range clients - 1 {
			j.verdict <- nil
		}
		for _, c := range parked[:clients-1] {
			if got := c.response(); got.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("answered %s", got.Status)
			}
		}
		s.awaitParked(t, 0)
	})
}

func TestAParkedConnectionGivesWayToANewOne(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s, j := startParking(start, Config{Loops: 1, Limits: Limits{MaxConnections: 2, DecisionTimeout: testkit.Patience}})
		first, second := s.dialTCP(t), s.dialTCP(t)
		for _, c := range []*client{first, second} {
			c.send([]byte(upgradeRequest))
			testkit.Receive(t, j.parked)
		}
		third := s.dialTCP(t)
		third.send([]byte(upgradeRequest))
		if got := first.response(); got.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("the oldest is answered with %s", got.Status)
		}
		testkit.Receive(t, j.ended)
		testkit.Receive(t, j.parked)
		for range 2 {
			j.verdict <- nil
		}
		for _, c := range []*client{second, third} {
			if got := c.response(); got.StatusCode != http.StatusSwitchingProtocols {
				t.Errorf("another is answered with %s", got.Status)
			}
		}
		fourth := s.dialTCP(t)
		fourth.send([]byte(upgradeRequest))
		if got := fourth.response(); got.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("beyond the limit: %s; who is accepted must stay", got.Status)
		}
	})
}

func TestAParkedCompressedConnectionIsCompressed(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s, j := startParking(start, Config{Compress: true})
		c := s.dialTCP(t)
		c.send(offering("permessage-deflate"))
		j.verdict <- nil
		if got := c.response().Header.Get("Sec-WebSocket-Extensions"); !strings.HasPrefix(got, permessageDeflate) {
			t.Fatalf("the extensions are %q", got)
		}
		testkit.Receive(t, s.opened)
		long := envelope(1, 2000)
		s.log.Append(Text(long))
		c.expectText(long, true)
	})
}

func TestAMessageAfterParkingIsNotLate(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		late := make(chan time.Duration, 1)
		s, j := startParking(start, Config{Loops: 1, Limits: Limits{LateAfter: time.Hour}}) // only what the test says is late
		s.message = func(_ Conn, m Message) { late <- m.Late }
		c := s.dialTCP(t)
		c.send([]byte(upgradeRequest))
		testkit.Receive(t, j.parked)
		l := s.loops[0]
		l.do(func() { l.conns.at(0).late, l.pauseLength = true, time.Hour }) // as after a pause
		j.verdict <- nil
		c.response()
		l.do(func() {})
		l.do(func() {}) // its socket was found empty
		c.send(masked(true, ws.OpText, "new"))
		if got := testkit.Receive(t, late); got != 0 {
			t.Errorf("it is late by %v", got)
		}
	})
}
