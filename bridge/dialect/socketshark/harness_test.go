package socketshark_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/dialect/socketshark"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// shark is a bridge that speaks SocketShark's protocol at /s, with the services of a configuration.
type shark struct {
	t       *testing.T
	player  player // its clock and its dialect
	asked   chan *asked
	minutes chan struct{} // for each timer of a minute, such as that of a renewal
	clients []*client
}

// newShark starts a bridge and a backend, at URL/. Before that, adjust changes the configuration.
func newShark(t *testing.T, services string, adjust ...func(*socketshark.Config)) *shark {
	t.Helper()
	return newSharkFrom(t, nil, services, adjust...)
}

// newSharkFrom is newShark with sources.
func newSharkFrom(t *testing.T, sources []rooms.Source, services string, adjust ...func(*socketshark.Config)) *shark {
	t.Helper()
	s := &shark{t: t, asked: make(chan *asked, 1000), minutes: make(chan struct{}, 1000)}
	s.player.asked, s.player.over = s.asked, make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.player.serve(w, r, r.URL.Path) }))
	t.Cleanup(backend.Close)
	cfg := &socketshark.Config{HTTP: socketshark.HTTP{Timeout: time.Hour, Tries: 1}}
	cfg.Authentication.Ticket = &socketshark.Ticket{ValidationURL: backend.URL + "/auth", AuthFields: []string{"user"}}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(services, "URL", backend.URL)), &cfg.Services); err != nil {
		t.Fatal(err)
	}
	for _, f := range adjust {
		f(cfg)
	}
	place := dialect.Place{Path: "/s", Rooms: "/s"}
	s.player.server = startServerWith(t, nil, sources, dialect.Mount{Place: place, New: func(h dialect.Host) (dialect.Dialect, error) {
		h.Now, h.After = s.player.clock.Now, s.after
		var err error
		s.player.dialect, err = socketshark.New(cfg, place, h)
		return s.player.dialect, err
	}})
	t.Cleanup(func() {
		close(s.player.over)
		s.player.server.stop()
		if _, err := await(s.player.server.ended, func() { s.player.clock.Pass(time.Minute) }); err != nil {
			t.Error("the bridge does not end")
		}
		for _, c := range s.clients {
			c.conn.Close()
			<-c.ended
		}
	})
	return s
}

func (s *shark) after(d time.Duration, do func()) (stop func() bool) {
	stop = s.player.clock.After(d, do)
	if d == time.Minute {
		s.minutes <- struct{}{}
	}
	return stop
}

// renewal awaits the next renewal, and answers it.
func (s *shark) renewal(is answer) {
	s.t.Helper()
	testkit.Receive(s.t, s.minutes)
	s.player.clock.Pass(time.Minute)
	testkit.Receive(s.t, s.asked).answer <- is
}

func (s *shark) connect() *client {
	s.t.Helper()
	c, err := dial(s.t.Context(), "ws://"+s.player.server.addr+"/s")
	if err != nil {
		s.t.Fatal(err)
	}
	s.clients = append(s.clients, c)
	return c
}

func (s *shark) publish(subscription, rest string) {
	s.player.dialect.Deliver(&rooms.Message{
		Path:   "/s/" + rooms.EscapeName(subscription),
		Format: rooms.FormatSocketShark, Whole: fmt.Appendf(nil, `{"subscription": %q, %s}`, subscription, rest),
	})
}

// does sends an event, and returns its answer.
func (s *shark) does(c *client, event string) string {
	s.t.Helper()
	c.send(ws.OpText, []byte(event))
	return s.gets(c)
}

func (s *shark) gets(c *client) string {
	s.t.Helper()
	return testkit.Receive(s.t, c.events).text
}

// getsData checks the data of the next messages.
func (s *shark) getsData(c *client, data ...string) {
	s.t.Helper()
	for _, want := range data {
		var m struct{ Data json.RawMessage }
		if text := s.gets(c); json.Unmarshal([]byte(text), &m) != nil || string(m.Data) != want {
			s.t.Fatalf("got %s, not the data %s", text, want)
		}
	}
}

// getsNothing checks that all has come.
func (s *shark) getsNothing(c *client) {
	s.t.Helper()
	if got := s.does(c, `{"event": "ping", "data": "all"}`); !strings.Contains(got, `"all"`) {
		s.t.Fatalf("got %s", got)
	}
}

func (s *shark) answer(path, body string) {
	s.t.Helper()
	s.answerAfter(0, path, body)
}

// answerAfter is answer after some time.
func (s *shark) answerAfter(d time.Duration, path, body string) {
	s.t.Helper()
	a, err := await(s.asked, func() { s.player.clock.Pass(d) })
	if err != nil {
		s.t.Fatal(err)
	}
	if a.path != "POST "+path {
		s.t.Fatalf("asked %s, not %s", a.path, path)
	}
	a.answer <- answer{Status: 200, Body: body}
}
