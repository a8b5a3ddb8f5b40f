package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// holding is a loop driven by hand, whose connections write to sockets that preserve the
// bounds of each write.
type holding struct {
	t *testing.T
	*loop
	ring ring
	buf  []byte
}

func newHolding(t *testing.T) *holding {
	e := &Engine{start: time.Now(), cfg: Config{Handler: &server{closed: make(chan closeNote, 1000)}}}
	e.cfg.Limits.setDefaults()
	e.cfg.MaxOutbound = 1 << 30
	l := &loop{engine: e, finishing: map[int32]*finishing{}, pausedSince: map[int32]time.Duration{}}
	l.wheel.now, l.wheel.conns = 1, &l.conns
	return &holding{t: t, loop: l, ring: ring{limit: 1 << 20}, buf: make([]byte, 1<<20)}
}

// holdingClient is a connection, the other end of its socket, and what it should receive.
type holdingClient struct {
	*conn
	peer  int
	wants string   // delayed frames
	owed  []string // writes that are due
}

func (h *holding) join() *holdingClient {
	h.t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	c := h.conns.alloc()
	c.fd, c.state, c.upgraded = int32(fds[0]), stateOpen, true
	h.ring.add(c, h.ring.head)
	h.t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return &holdingClient{conn: c, peer: fds[1]}
}

// turn does what a loop does in a turn, until nothing is left to do at once.
func (h *holding) turn() {
	h.flushQueued()
	for len(h.dirty) > 0 {
		h.sweep()
	}
}

// writes returns the writes that a client received.
func (h *holding) writes(c *holdingClient) (writes []string) {
	h.t.Helper()
	for {
		n, err := unix.Read(c.peer, h.buf)
		if err == unix.EAGAIN {
			return writes
		}
		if err != nil {
			h.t.Fatal(err)
		}
		writes = append(writes, string(h.buf[:n]))
	}
}

// The model: delayed frames leave in one write, when the first is due, when there are many
// bytes, or when a frame follows that is not delayed; and for a single client ahead of a
// frame for that client only.
func TestFramesLeaveTogetherWhenTheFirstIsDue(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 23))
		h := newHolding(t)
		var clients []*holdingClient
		var now, due time.Duration = 1, 0 // when the delayed frames are due; 0 without any
		waits := 0                        // their bytes
		cut := false                      // so much was left that it took several passes
		leave := func() {
			for _, c := range clients {
				if c.wants != "" {
					c.owed = append(c.owed, c.wants)
				}
				c.wants = ""
			}
			cut = waits > chunkSize
			due, waits = 0, 0
		}
		for i := range 200 {
			cut = false
			switch n := random.IntN(20); {
			case n < 2 && len(clients) < 10:
				clients = append(clients, h.join())
			case n < 3 && len(clients) > 1: // delayed frames do not concern clients that have left
				c := clients[0]
				clients = clients[1:]
				h.ring.remove(c.conn)
				h.freeOutbound(c.conn)
			case n < 5 && len(clients) > 0:
				c := clients[random.IntN(len(clients))]
				answer := fmt.Sprintf("(answer %d)", i)
				h.queueFrames(c.conn, []Frame{Frame(answer)}, h.queueLog)
				c.owed, c.wants = append(c.owed, c.wants+answer), ""
			case n < 9:
				now += time.Duration(random.IntN(20))
				h.release(now)
				if due > 0 && due <= now {
					leave()
				}
			default:
				size := 1
				if random.IntN(30) == 0 {
					size = random.IntN(chunkSize / 2)
				}
				f := fmt.Sprintf("(%d%s)", i, strings.Repeat("x", size))
				until := now + time.Duration(random.IntN(30))
				if random.IntN(6) == 0 {
					until = 0
				}
				h.push(&h.ring, Frame(f), until)
				for _, c := range clients {
					c.wants += f
				}
				if waits += len(f); waits == len(f) || until < due {
					due = until
				}
				if due == 0 || waits >= chunkSize || len(clients) == 0 {
					leave()
				}
			}
			h.turn()
			for k, c := range clients {
				got := h.writes(c)
				if cut {
					got, c.owed = []string{strings.Join(got, "")}, []string{strings.Join(c.owed, "")}
				}
				if !slices.Equal(got, c.owed) {
					t.Fatalf("seed %d, step %d: client %d got %.100q, want %.100q", seed, i, k, got, c.owed)
				}
				c.owed = nil
			}
			if held := h.ring.delayed(); held != (due > 0) || held != (len(h.dueRings) > 0 && h.ring.due == due) {
				t.Fatalf("seed %d, step %d: held %v until %d by %d rings, want %d", seed, i, held, h.ring.due, len(h.dueRings), due)
			}
		}
	}
}

func TestTheRingThatIsDueFirstLeavesFirst(t *testing.T) {
	h := newHolding(t)
	rings := make([]ring, 50)
	random := rand.New(rand.NewPCG(3, 5))
	want := map[*ring]time.Duration{}
	for range 500 {
		r := &rings[random.IntN(len(rings))]
		r.limit = 1 << 20
		if len(r.followers) == 0 {
			c := h.conns.alloc()
			c.blocked = true
			r.add(c, r.head)
		}
		due := time.Duration(1 + random.IntN(1000))
		if random.IntN(10) == 0 {
			due = 0
		}
		if old, waits := want[r]; !waits || due < old {
			want[r] = due
		}
		h.push(r, Text("x"), due)
		if due == 0 {
			delete(want, r)
			h.turn()
		}
	}
	for now := range time.Duration(1001) {
		h.release(now)
		for r, due := range want {
			if r.delayed() != (due > now) {
				t.Fatalf("at %d a ring that is due at %d is held: %v", now, due, r.delayed())
			}
		}
	}
	if len(h.dueRings) > 0 {
		t.Errorf("%d rings are looked at for nothing", len(h.dueRings))
	}
}

func TestALoopWaitsUntilAFrameIsDueOrTheTick(t *testing.T) {
	h := newHolding(t)
	const now = 100 * tickLength
	wants := func(want time.Duration, why string) {
		t.Helper()
		if got := h.untilDue(now + time.Millisecond); got != want {
			t.Errorf("%s it waits for %v, want %v", why, got, want)
		}
	}
	wants(tickLength-time.Millisecond, "without frames")
	h.join()
	h.push(&h.ring, Text("x"), now+time.Hour)
	wants(tickLength-time.Millisecond, "with a frame that is due later")
	h.push(&h.ring, Text("x"), now+3*time.Millisecond)
	wants(2*time.Millisecond, "with one that is due soon")
	h.push(&h.ring, Text("x"), now)
	wants(1, "with one that is late")
	h.push(&h.ring, Text("x"), 0)
	wants(tickLength-time.Millisecond, "with nothing that is held")
}

func TestALoopIsWokenOnlyForMailThatCannotWait(t *testing.T) {
	for name, c := range map[string]struct {
		due   time.Duration
		bytes int
		do    bool
		alone bool // nobody follows
		want  bool
	}{
		"at once":             {0, 10, false, false, true},
		"due before it wakes": {99, 10, false, false, true},
		"due when it wakes":   {100, 10, false, false, false},
		"due later":           {101, 10, false, false, false},
		"much that may wait":  {101, chunkSize, false, false, true},
		"at once, for nobody": {0, 10, false, true, false},
		"much, for nobody":    {0, chunkSize, false, true, true},
		"something to do":     {0, 0, true, false, true},
	} {
		woken := 0
		var m mailbox
		m.init(func() { woken++ }, &capacity{})
		if !m.sleep(100) {
			t.Fatal("there is mail in a new mailbox")
		}
		if c.do {
			m.post(func() {})
		} else {
			var r ring
			if !c.alone {
				r.add(&conn{}, 0)
			}
			m.append(&r, make(Frame, c.bytes), c.due)
		}
		if got := woken == 1; got != c.want {
			t.Errorf("%s: woken %v, want %v", name, got, c.want)
		}
		if m.sleep(200) {
			t.Errorf("%s: the loop may sleep although there is mail", name)
		}
	}
}
