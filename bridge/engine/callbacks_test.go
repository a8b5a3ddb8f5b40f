package engine

import (
	"encoding/binary"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// fragile panics in the method that the request's path names, on connections that have
// one.
type fragile struct {
	*server
}

func (h fragile) panicIn(where string, session any) {
	if session == where {
		panic("broken in " + where)
	}
}

func (h fragile) Accept(r *Request) (Accepted, error) {
	u, err := r.URL()
	if err != nil {
		return Accepted{}, err
	}
	h.panicIn("Accept", u.Path[1:])
	return Accepted{Log: h.log, Session: u.Path[1:]}, nil
}

func (h fragile) Open(c Conn, v any) {
	h.opened <- c
	h.panicIn("Open", v)
}

func (h fragile) Message(c Conn, v any, m Message) {
	h.panicIn("Message", v)
	h.messages <- string(m.Payload)
}

func (h fragile) Closing(c Conn, v any) {
	h.panicIn("Closing", v)
	c.Finish()
}

func (h fragile) Closed(_ Conn, v any, code int, reason string) {
	h.closed <- closeNote{code, reason}
	h.panicIn("Closed", v)
}

// startFragile starts a server with a fragile handler, and a client without a path.
func startFragile(t *testing.T, start starter, cfg Config) (s *server, log *lockedBuffer, good *client) {
	t.Helper()
	log = &lockedBuffer{}
	cfg.Loops = 1
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	s = start(cfg, func(s *server) { s.Engine.cfg.Handler = fragile{s} }) // before there are connections
	return s, log, s.dial(t)
}

// unharmed checks that one panic was counted and logged, and that another client is not
// affected.
func unharmed(t *testing.T, s *server, log *lockedBuffer, good *client, where string) {
	t.Helper()
	testkit.WaitUntil(t, "the panic is counted", func() bool { return s.Stats().Panics == 1 })
	testkit.WaitUntil(t, "the panic is logged", func() bool {
		return strings.Contains(log.String(), where) && strings.Contains(log.String(), "callbacks_test.go")
	})
	s.log.Append(Text("news"))
	good.expect("news")
	good.send(text("still here"))
	if got := testkit.Receive(t, s.messages); got != "still here" {
		t.Fatalf("got %q", got)
	}
	if n := s.Stats().Connections; n != 1 {
		t.Errorf("%d connections are open", n)
	}
}

func TestAPanicInAHandlerEndsItsConnectionOnly(t *testing.T) {
	for _, test := range []struct {
		method string
		do     func(c *client)
	}{
		{"Open", func(*client) {}},
		// Messages after the one that panics are not delivered.
		{"Message", func(c *client) { c.send(text("hello"), text("never")) }},
		{"Closing", func(c *client) {
			c.send(masked(true, ws.OpClose, string(binary.BigEndian.AppendUint16(nil, 1000))))
		}},
	} {
		t.Run(test.method, func(t *testing.T) {
			inEveryWay(t, func(t *testing.T, start starter) {
				s, log, good := startFragile(t, start, Config{})
				c := s.dialTCP(t)
				c.upgrade("/" + test.method)
				testkit.Receive(t, s.opened)
				test.do(c)
				f := c.frame()
				code, reason := ws.ParseCloseFrameData(f.Payload)
				if f.Header.OpCode != ws.OpClose || code != 1011 || reason != "internal error" {
					t.Errorf("got opcode %d with %d %q", f.Header.OpCode, code, reason)
				}
				if note := testkit.Receive(t, s.closed); note != (closeNote{1011, "internal error"}) {
					t.Errorf("closed with %v", note)
				}
				unharmed(t, s, log, good, "Handler."+test.method)
			})
		})
	}
}

func TestAPanicInClosedAffectsOnlyThatCall(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s, log, good := startFragile(t, start, Config{})
		c := s.dialTCP(t)
		c.upgrade("/Closed")
		testkit.Receive(t, s.opened).Close(1000, "enough")
		c.expectClose(1000)
		testkit.Receive(t, s.closed)
		unharmed(t, s, log, good, "Handler.Closed")
		select {
		case note := <-s.closed:
			t.Errorf("closed again with %v", note)
		default:
		}
	})
}

func TestAPanicBeforeTheUpgradeIsAnsweredWith500(t *testing.T) {
	breakIn := func(r *Request, path string) {
		if u, err := r.URL(); err == nil && u.Path == path {
			panic("broken in " + path)
		}
	}
	cfg := Config{
		ClientAddr: func(r *Request) (netip.AddrPort, *RejectError) {
			breakIn(r, "/ClientAddr")
			return netip.MustParseAddrPort("192.0.2.1:1"), nil
		},
		Rejected: func(*RejectError, netip.AddrPort) { panic("broken in Rejected") },
		Exempt:   func(a netip.Addr) bool { panic("broken in Exempt") },
		Limits:   Limits{MaxPerAddress: 1},
	}
	inEveryWay(t, func(t *testing.T, start starter) {
		s, log, good := startFragile(t, start, cfg) // one panic, in Exempt: admit claims a place for the address
		first := s.Stats().Panics
		for _, test := range []struct {
			path   string
			status int
		}{{"/Accept", 503}, {"/ClientAddr", 500}} {
			c := s.dialTCP(t)
			c.send([]byte("GET " + test.path + upgradeRequest[len("GET /"):]))
			if resp := c.response(); resp.StatusCode != test.status {
				t.Errorf("%s: answered with %s", test.path, resp.Status)
			}
		}
		good.Close()
		testkit.Receive(t, s.closed)
		c := s.dialTCP(t)
		c.send([]byte("GET /Accept" + upgradeRequest[len("GET /"):]))
		if resp := c.response(); resp.StatusCode != http.StatusInternalServerError {
			t.Errorf("answered with %s", resp.Status)
		}
		c.Close()
		for _, where := range []string{"Config.ClientAddr", "Config.Rejected", "Config.Exempt", "Handler.Accept"} {
			testkit.WaitUntil(t, where+" is in the log", func() bool { return strings.Contains(log.String(), where) })
		}
		if n := s.Stats().Panics; n < first+4 {
			t.Errorf("%d panics are counted", n)
		}
		testkit.WaitUntil(t, "the limit is not reached any more", func() bool {
			c := s.dialTCP(t)
			c.send([]byte(upgradeRequest))
			return c.response().StatusCode == http.StatusSwitchingProtocols
		})
	})
}

func TestAPanicInSkipEndsItsConnectionOnly(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const length = 100_000
		cfg := Config{
			Skip:   func(session any, missed uint64) Frame { panic("broken in Skip") },
			Limits: Limits{LogBytes: 10 * length},
		}
		s, log, good := startFragile(t, start, cfg)
		c := s.dialTCP(t)
		c.upgrade("/deaf")
		testkit.Receive(t, s.opened)
		frame := strings.Repeat("x", length)
		for range 200 { // more than the socket and the log hold
			s.log.Append(Text(frame))
			good.expect(frame)
		}
		for {
			f := c.frame()
			if f.Header.OpCode != ws.OpClose {
				continue
			}
			if code, reason := ws.ParseCloseFrameData(f.Payload); code != 1011 || reason != "internal error" {
				t.Errorf("closed with %d %q", code, reason)
			}
			break
		}
		if note := testkit.Receive(t, s.closed); note.code != 1011 {
			t.Errorf("closed with %v", note)
		}
		unharmed(t, s, log, good, "Config.Skip")
	})
}
