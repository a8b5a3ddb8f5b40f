//go:build unix

package engine

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// fragments returns a message in three fragments.
func fragments(t *testing.T) (frames []Frame) {
	t.Helper()
	for _, make := range []func([]byte) (Frame, error){FirstFragment, MiddleFragment, LastFragment} {
		f, err := make(append(bytes.Repeat([]byte{0}, MaxHeaderSize), "abc"...))
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
	}
	return frames
}

func TestABufferNeedsSpaceForTheHeader(t *testing.T) {
	for name, make := range map[string]func([]byte) (Frame, error){"NewText": NewText, "FirstFragment": FirstFragment, "MiddleFragment": MiddleFragment, "LastFragment": LastFragment} {
		for n := range MaxHeaderSize {
			if f, err := make(bytes.Repeat([]byte{'x'}, n)); f != nil || !errors.Is(err, ErrShortBuffer) {
				t.Errorf("%s of %d bytes gives % x, %v", name, n, f, err)
			}
		}
		if f, err := make(bytes.Repeat([]byte{'x'}, MaxHeaderSize)); err != nil || f.problem() != "" {
			t.Errorf("%s of an empty payload gives % x, %v: %s", name, f, err, f.problem())
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("Must returned no frame")
		}
	}()
	Must(NewText(nil))
}

func TestAnInvalidFrameIsExplained(t *testing.T) {
	parts := fragments(t)
	for _, f := range []Frame{Text(""), Text(strings.Repeat("x", 126)), Binary(make([]byte, 70_000)), newFrame(ws.OpPing, "x"), parts[0], parts[1], parts[2]} {
		if why := f.problem(); why != "" {
			t.Errorf("% x is rejected: %s", f[:2], why)
		}
	}
	long := bytes.Clone(Binary(make([]byte, 70_000)))
	for name, f := range map[string]Frame{
		"nothing":       nil,
		"one byte":      {0x81},
		"plain text":    Frame("hello, not a frame"),
		"masked":        Frame(text("x")),
		"cut":           Text("abc")[:3],
		"cut header":    Frame(long[:5]),
		"two frames":    append(bytes.Clone(Text("a")), Text("b")...),
		"a length of 0": append(Frame{0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, make([]byte, 9)...), // modulo 2^64
		"close":         newFrame(ws.OpClose, ""),
		"an extension":  {0xc1, 0},
		"no opcode":     {0x83, 0},
		"no control":    {0x8b, 0},
	} {
		if f.problem() == "" {
			t.Errorf("%s is a frame", name)
		}
	}
}

func TestMisuseBreaksNoClient(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		log := &lockedBuffer{}
		s := start(Config{Logger: slog.New(slog.NewTextHandler(log, nil))})
		parts := fragments(t)
		c, conn := s.dialConn(t)
		for _, f := range []Frame{nil, Frame("garbage"), parts[0], parts[2]} {
			s.log.Append(f)
			conn.Send(f)
		}
		s.log.Append(Text("news"))
		c.expect("news")
		conn.SendInOrder(parts...)
		for range parts {
			c.frame()
		}
		testkit.WaitUntil(t, "the log says why", func() bool { return strings.Contains(log.String(), "not a WebSocket frame") })

		other := start(Config{})
		for name, do := range map[string]func(Conn){
			"a log of another engine": func(conn Conn) { conn.Follow(other.log) },
			"a log of no engine":      func(conn Conn) { conn.Follow(&Log{}) },
			"garbage to Follow":       func(conn Conn) { conn.Follow(s.log, Frame("garbage")) },
			"garbage to SendInOrder":  func(conn Conn) { conn.SendInOrder(nil, Text("x")) },
			"no end":                  func(conn Conn) { conn.SendInOrder(parts[0], parts[1]) },
			"no beginning":            func(conn Conn) { conn.SendInOrder(parts[2]) },
			"two beginnings":          func(conn Conn) { conn.SendInOrder(parts[0], Text("x"), parts[2]) },
		} {
			c, conn := s.dialConn(t)
			do(conn)
			f := c.frame()
			if code, _ := ws.ParseCloseFrameData(f.Payload); f.Header.OpCode != ws.OpClose || code != 1011 {
				t.Errorf("%s: got opcode %d with %q", name, f.Header.OpCode, f.Payload)
			}
			testkit.Receive(t, s.closed)
		}
		misusing := start(Config{}, func(s *server) {
			s.accept = func(*Request) (Accepted, error) { return Accepted{Log: other.log}, nil }
		})
		rejected := misusing.dialTCP(t)
		rejected.send([]byte(upgradeRequest))
		if resp := rejected.response(); resp.StatusCode != http.StatusInternalServerError {
			t.Errorf("Accepted with a log of another engine is answered with %s", resp.Status)
		}
		conn.Follow(nil)
		conn.Send(Text("still here"))
		c.expect("still here")
	})
}

func TestTheZeroConnDoesNothing(t *testing.T) {
	var c Conn
	c.Send(Text("x"))
	c.SendInOrder(Text("x"))
	c.Follow(nil, Text("x"))
	c.Close(1000, "")
	c.Finish()
}

func TestAppendToAZeroLogPanicsWithAReason(t *testing.T) {
	for _, log := range []*Log{nil, {}} {
		func() {
			defer func() {
				if why, _ := recover().(string); !strings.Contains(why, "NewLog") {
					t.Errorf("got %q", why)
				}
			}()
			log.Append(Text("x"))
		}()
	}
}

func TestAListenerIsGivenOnce(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		if err := s.Listen(nil); err == nil {
			t.Error("no listener is served")
		}
		ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Listen(tls.NewListener(ln, serverTLS())); err == nil || !strings.Contains(err.Error(), "ListenOptions.TLS") {
			t.Errorf("a listener that hides its socket: %v", err)
		}
		if err := s.Listen(ln); err != nil {
			t.Fatal(err)
		}
		if err := s.Listen(ln); err == nil || !strings.Contains(err.Error(), "already") {
			t.Errorf("the second time: %v", err)
		}
		s.dial(t)
		s.StopListening()
		if err := s.Listen(ln); !errors.Is(err, ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestAnInvalidConfigurationIsAnError(t *testing.T) {
	h := &appender{}
	for want, cfg := range map[string]Config{
		"Handler":            {},
		"Loops":              {Handler: h, Loops: -1},
		"Limits.LogBytes":    {Handler: h, Limits: Limits{LogBytes: -1}},
		"Limits.PongTimeout": {Handler: h, Limits: Limits{PongTimeout: -time.Second}},
	} {
		if e, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
			if e != nil {
				_ = e.Shutdown(context.Background(), "")
			}
		}
	}
}

// hidden hides a listener's socket, and is not comparable.
type hidden struct {
	net.Listener
	_ []string
}

func TestAnIncomparableListenerIsAnError(t *testing.T) {
	s := start(t, Config{})
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, wrapped := range []net.Listener{hidden{Listener: ln}, hidden{Listener: hidden{Listener: ln}}, struct{ net.Listener }{hidden{Listener: ln}}} {
		if err := s.Listen(wrapped); err == nil || !strings.Contains(err.Error(), "ListenOptions.TLS") {
			t.Errorf("got %v", err)
		}
	}
}

func TestAnInvalidNoticeOfSkipIsDropped(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		log := &lockedBuffer{}
		cfg := Config{
			Loops:  1,
			Skip:   func(any, uint64) Frame { return Frame("you have missed something") },
			Logger: slog.New(slog.NewTextHandler(log, nil)),
		}
		s := start(cfg)
		c := s.dial(t)
		l := s.loops[0]
		l.do(func() {
			r := &s.log.rings[0]
			l.push(r, Text("missed"), 0)
			r.dropFor(r.limit)
		})
		s.log.Append(Text("news"))
		c.expect("news")
		if !strings.Contains(log.String(), "Config.Skip") {
			t.Errorf("the log says: %s", log)
		}
	})
}
