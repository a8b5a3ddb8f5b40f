package engine

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestShutdownReturnsInTimeWhateverAHandlerDoes(t *testing.T) {
	for _, where := range []string{"Accept", "Open", "Message", "Closed", "HTTP"} {
		t.Run(where, func(t *testing.T) {
			inEveryWay(t, func(t *testing.T, start starter) { shutdownWhileStuck(t, start, where) })
		})
	}
}

func shutdownWhileStuck(t *testing.T, start starter, where string) {
	log := &lockedBuffer{}
	stuck, release := make(chan struct{}), make(chan struct{})
	hang := func(here string) {
		if here == where {
			close(stuck)
			<-release
		}
	}
	cfg := Config{
		Loops:  2,
		HTTP:   http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hang("HTTP") }),
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	}
	if where == "HTTP" {
		cfg.cutTimeout = testkit.Patience // all loops end, if late on a crowded machine
	}
	s := start(cfg, func(s *server) { s.Engine.cfg.Handler = hanging{s, hang} }) // before there are connections
	for range 2 {
		receiveOpen := s.dialTCP(t)
		receiveOpen.send([]byte("GET /fine" + upgradeRequest[len("GET /"):]))
		testkit.Receive(t, s.opened)
	}
	c := s.dialTCP(t)
	if where == "HTTP" {
		c.send([]byte("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	} else {
		c.send([]byte(upgradeRequest))
	}
	switch where {
	case "Message":
		testkit.Receive(t, s.opened)
		c.send(text("hello"))
	case "Closed":
		testkit.Receive(t, s.opened)
		c.Close()
	}
	testkit.Await(t, stuck)
	const limit = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	began := time.Now()
	if err := s.Shutdown(ctx, "restarting"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	// The machine may be busy; without a bound this would never return.
	if took := time.Since(began); took > limit+cutTimeout+30*time.Second { // on a crowded machine
		t.Errorf("it took %v", took)
	}
	if logged := strings.Contains(log.String(), "have not returned"); logged != (where != "HTTP") {
		t.Errorf("the log says: %s", log)
	}
	if err := s.Shutdown(t.Context(), "again"); !errors.Is(err, ErrClosed) {
		t.Errorf("the second one: %v", err)
	}
	close(release)
	s.goroutines.Wait()
	testkit.WaitUntil(t, "no client is connected", func() bool { return s.Stats().Connections == 0 && s.countRunning() == 0 })
}

// hanging hangs in one of its methods, on connections without a path.
type hanging struct {
	*server
	hang func(where string)
}

func (h hanging) Accept(r *Request) (Accepted, error) {
	u, err := r.URL()
	if err != nil {
		return Accepted{}, err
	}
	if u.Path == "/" {
		h.hang("Accept")
	}
	return Accepted{Log: h.log, Session: u.Path}, nil
}

func (h hanging) Open(c Conn, v any) {
	h.opened <- c
	if v == "/" {
		h.hang("Open")
	}
}

func (h hanging) Message(_ Conn, v any, _ Message) {
	if v == "/" {
		h.hang("Message")
	}
}

func (h hanging) Closed(_ Conn, v any, _ int, _ string) {
	if v == "/" {
		h.hang("Closed")
	}
}

func TestShutdownWithAnEndedContextLeavesNothingRunning(t *testing.T) {
	inEveryWayAlone(t, func(t *testing.T, start starter) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for range 200 {
			s := start(Config{Loops: 2})
			if err := s.Shutdown(ended, "restarting"); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		testkit.NoLeaks(t)
	})
}
