package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestEachVisitsEveryOpenConnection(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 2}, func(s *server) {
			s.accept = func(r *Request) (Accepted, error) {
				u, err := r.URL()
				return Accepted{Session: u.Path}, err
			}
		})
		s.dialTCP(t) // sends no request
		want := map[Conn]string{}
		clients := map[string]*client{}
		for i := range 10 {
			path := fmt.Sprintf("/%d", i)
			c := s.dialTCP(t)
			c.upgrade(path)
			conn := testkit.Receive(t, s.opened)
			if i == 5 {
				c.Close()
				testkit.Receive(t, s.closed)
				continue
			}
			want[conn], clients[path] = path, c
		}
		s.Each(func(c Conn, session any) {
			if path, ok := want[c]; !ok || path != session {
				t.Errorf("visited %v with %v, want %q", c, session, path)
			}
			delete(want, c)
			c.Send(Text("visited " + session.(string)))
		})
		if len(want) > 0 {
			t.Errorf("%v are not visited", want)
		}
		for path, c := range clients {
			c.expect("visited " + path)
		}
	})
}

func TestEachReturnsWhateverTheLoopsDo(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 2, Limits: Limits{LogBytes: 1 << 20}})
		s.mute.Store(true)
		for range 4 {
			c := s.dialTCP(t)
			c.upgrade("/")
			go func() { // reads until the end
				for {
					if _, err := readFrame(c.r); err != nil {
						return
					}
				}
			}()
		}
		var busy sync.WaitGroup
		over := make(chan struct{})
		visit := func() {
			s.Each(func(c Conn, _ any) { s.log.Append(Text("from a visit")); c.Send(Text("hello")) })
		}
		for range 2 {
			busy.Go(func() {
				frame := Text(string(make([]byte, 10_000)))
				for {
					select {
					case <-over:
						return
					default:
						s.log.Append(frame)
					}
				}
			})
		}
		for range 10 {
			visit()
		}
		close(over)
		busy.Wait()
		// While the engine ends, and after.
		var visits sync.WaitGroup
		for range 4 {
			visits.Go(func() {
				for range 20 {
					visit()
				}
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_ = s.Shutdown(ctx, "restarting")
		visits.Wait()
		s.Each(func(Conn, any) { t.Error("a connection outlived the engine") })
	})
}

func TestAnEngineThatStopsListeningKeepsItsConnections(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		asked, release := make(chan struct{}), make(chan struct{})
		page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(asked)
			<-release
			fmt.Fprint(w, "the page")
		})
		s := start(Config{Loops: 2, HTTP: page})
		c := s.dial(t)
		half := s.dialTCP(t)
		half.send([]byte(upgradeRequest[:20]))
		visitor := s.dialTCP(t)
		visitor.send([]byte("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"))
		testkit.Await(t, asked)
		testkit.WaitUntil(t, "all are accepted", func() bool {
			s.limiter.mu.Lock()
			defer s.limiter.mu.Unlock()
			return s.limiter.total == 2 // the HTTP request belongs to net/http
		})
		s.StopListening()
		s.StopListening()
		if conn, err := net.Dial("tcp", s.addr); err == nil {
			conn.Close()
			t.Error("a listener is still open")
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		if err := s.Listen(ln); !errors.Is(err, ErrClosed) {
			t.Errorf("listening gives %v", err)
		}
		half.send([]byte(upgradeRequest[20:]))
		if got := half.response().StatusCode; got != http.StatusSwitchingProtocols {
			t.Errorf("a request that had begun is answered %d", got)
		}
		close(release)
		if got := visitor.response().StatusCode; got != http.StatusOK {
			t.Errorf("a request for a page that had begun is answered %d", got)
		}
		testkit.Receive(t, s.opened)
		s.log.Append(Text("news"))
		c.expect("news")
		half.expect("news")
		ended := make(chan error, 1)
		go func() { ended <- s.Shutdown(t.Context(), "restarting") }()
		for _, c := range []*client{c, half} {
			c.expectClose(1001)
			c.Close()
		}
		if err := testkit.Receive(t, ended); err != nil {
			t.Error(err)
		}
	})
}
