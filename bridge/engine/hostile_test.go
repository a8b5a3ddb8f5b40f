package engine

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// hostileTime returns how long the hostile clients run: HOSTILE=60s for a long run.
func hostileTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("HOSTILE")
	if text == "" {
		return 3 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// misdeeds are what a client may do wrong. Each gets a new TCP connection, and may fail at
// any point: the server may hang up.
var misdeeds = map[string]func(c net.Conn, rng *rand.Rand) error{
	"splits every byte": func(c net.Conn, rng *rand.Rand) error {
		for _, b := range append([]byte(upgradeRequest), text("split")...) {
			if _, err := c.Write([]byte{b}); err != nil {
				return err
			}
		}
		return nil
	},
	"claims a false length": func(c net.Conn, rng *rand.Rand) error {
		return opened(c, []byte{0x81, 0xff, 0, 0, 0, 0, 0, 0x0f, 0xff, 0xff, 1, 2, 3, 4, 'x'})
	},
	"claims the largest length in a fragment": func(c net.Conn, rng *rand.Rand) error {
		return opened(c, masked(false, ws.OpText, "x"), []byte{0x80, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, make([]byte, 1<<20))
	},
	"leaves a message half sent": func(c net.Conn, rng *rand.Rand) error {
		return opened(c, masked(false, ws.OpText, strings.Repeat("x", 500_000)))
	},
	"sends tiny fragments": func(c net.Conn, rng *rand.Rand) error {
		if err := opened(c, masked(false, ws.OpText, "x")); err != nil {
			return err
		}
		fragments := []byte(strings.Repeat(string(masked(false, ws.OpContinuation, "")), 10_000))
		for range 20 {
			if _, err := c.Write(fragments); err != nil {
				return err
			}
		}
		return nil
	},
	"floods with pings": func(c net.Conn, rng *rand.Rand) error {
		pings := []byte(strings.Repeat(string(masked(true, ws.OpPing, "")), 20_000))
		return opened(c, pings)
	},
	"floods with messages": func(c net.Conn, rng *rand.Rand) error {
		return opened(c, []byte(strings.Repeat(string(text("flood")), 20_000)))
	},
	"resets": func(c net.Conn, rng *rand.Rand) error {
		if err := opened(c); err != nil {
			return err
		}
		return socketOf(c).SetLinger(0)
	},
	"half-closes": func(c net.Conn, rng *rand.Rand) error {
		if err := opened(c); err != nil {
			return err
		}
		return socketOf(c).CloseWrite()
	},
	"sends garbage for a request": func(c net.Conn, rng *rand.Rand) error {
		garbage := make([]byte, rng.IntN(20_000))
		for i := range garbage {
			garbage[i] = byte(rng.Uint32())
		}
		_, err := c.Write(garbage)
		return err
	},
	"sends garbage for frames": func(c net.Conn, rng *rand.Rand) error {
		garbage := make([]byte, rng.IntN(5000))
		for i := range garbage {
			garbage[i] = byte(rng.Uint32())
		}
		return opened(c, garbage)
	},
	"closes and goes on": func(c net.Conn, rng *rand.Rand) error {
		return opened(c, masked(true, ws.OpClose, "\x03\xe8"), text("more"), text("and more"))
	},
	"upgrades twice": func(c net.Conn, rng *rand.Rand) error {
		return opened(c, []byte(upgradeRequest))
	},
	"reads nothing": func(c net.Conn, rng *rand.Rand) error {
		_, err := c.Write([]byte(upgradeRequest))
		return errors.Join(err, c.SetReadDeadline(time.Now()))
	},
}

// socketOf returns the socket of a connection, below its TLS.
func socketOf(c net.Conn) *net.TCPConn {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	return c.(*net.TCPConn)
}

// opened upgrades a connection and writes pieces to it.
func opened(c net.Conn, pieces ...[]byte) error {
	_, err := c.Write(append([]byte(upgradeRequest), join(pieces...)...))
	return err
}

func TestHostileClientsAffectNoOther(t *testing.T) {
	inEveryWayAlone(t, func(t *testing.T, start starter) {
		// A good client answers no pings, and may take a while for its request on a busy machine.
		s := start(Config{Limits: Limits{LogBytes: 4 << 20, MaxInbound: 32 << 20, PingAfter: time.Hour}})
		over := make(chan struct{})
		var hostile, good sync.WaitGroup

		worst := make([]time.Duration, 4)
		for i := range worst {
			c := s.dial(t)
			c.SetDeadline(time.Time{})
			good.Go(func() { worst[i] = followClosely(t, c) })
		}
		s.mute.Store(true)
		for name, misdeed := range misdeeds {
			hostile.Go(func() { misbehave(s, name, misdeed, over) })
		}
		var peak uint64
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		pad := strings.Repeat("x", 2000)
		n := 0
		for end := time.After(hostileTime(t)); ; n++ {
			s.log.Append(Text(fmt.Sprintf("%d %d %s", n, time.Now().UnixNano(), pad)))
			select {
			case <-tick.C:
				if n%50 == 0 {
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					peak = max(peak, m.HeapInuse)
				}
				continue
			case <-end:
			}
			break
		}
		close(over)
		hostile.Wait()
		s.log.Append(Text("end"))
		good.Wait()
		t.Logf("%d frames; the worst latencies of the good clients were %v; the heap was at most %d MiB", n, worst, peak>>20)
		const allowed = 256 << 20
		if peak > allowed {
			t.Errorf("the heap grew to %d MiB", peak>>20)
		}
		for _, w := range worst {
			if w > testkit.Patience {
				t.Errorf("a good client waited %v", w)
			}
		}
	})
}

// followClosely reads frames up to the last, and returns the longest time that one took.
func followClosely(t *testing.T, c *client) (worst time.Duration) {
	for next := 0; ; next++ {
		f, err := readFrame(c.r)
		if err != nil {
			t.Errorf("a good client lost its connection: %v", err)
			return worst
		}
		if f.Header.OpCode == ws.OpPing {
			next--
			continue
		}
		var n int
		var sent int64
		if string(f.Payload) == "end" {
			return worst
		}
		if _, err := fmt.Sscanf(string(f.Payload[:min(60, len(f.Payload))]), "%d %d", &n, &sent); err != nil || n != next {
			t.Errorf("a good client got %.40q instead of frame %d", f.Payload, next)
			return worst
		}
		worst = max(worst, time.Since(time.Unix(0, sent)))
	}
}

// misbehave repeats a misdeed on new connections, some of which it keeps open.
func misbehave(s *server, name string, misdeed func(net.Conn, *rand.Rand) error, over <-chan struct{}) {
	rng := rand.New(rand.NewPCG(uint64(len(name)), 1))
	var kept []net.Conn
	defer func() {
		for _, c := range kept {
			c.Close()
		}
	}()
	for {
		select {
		case <-over:
			return
		default:
		}
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			continue
		}
		if s.tls != nil {
			c = tls.Client(c, clientTLS)
		}
		_ = c.SetDeadline(time.Now().Add(2 * time.Second))
		if err := misdeed(c, rng); err == nil && name != "reads nothing" {
			// Any response will do, or none.
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			_, _ = io.Copy(io.Discard, bufio.NewReader(c))
		}
		if kept = append(kept, c); len(kept) > 30 {
			kept[0].Close()
			kept = kept[1:]
		}
	}
}

func FuzzUpgrade(f *testing.F) {
	f.Add([]byte(upgradeRequest))
	f.Add([]byte("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"))
	f.Add([]byte(strings.Replace(upgradeRequest, "Host", "host: a\r\nHOST", 1)))
	f.Add([]byte(strings.ToLower(upgradeRequest)))
	f.Fuzz(func(t *testing.T, data []byte) {
		e := &Engine{cfg: Config{Handler: &server{}}}
		e.cfg.Limits.setDefaults()
		end := headEnd(data, 0)
		if e.headTooLong(end, len(data)) || end == 0 {
			return
		}
		head := data[:end]
		e.limiter.max = 1
		in := &incoming{options: &ListenOptions{}}
		e.limiter.enter(in)
		r := &Request{}
		rest, _, rejectErr := e.examine(in, r, data)
		if rejectErr != nil {
			return
		}
		if len(rest) != len(data)-end {
			t.Fatalf("%d bytes are left after %q", len(rest), head)
		}
		wants := r.wantsWebSocket()
		u, _, rejectErr := e.decide(in, r)
		if ok := u.valid() && rejectErr == nil; ok && (!wants || len(r.Values("Sec-WebSocket-Key")) != 1) {
			t.Fatalf("accepted %q", head)
		}
	})
}
