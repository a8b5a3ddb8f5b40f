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

// delayHarness is a loop driven by hand, whose connections write to sockets that preserve the
// bounds of each write.
type delayHarness struct {
	t *testing.T
	*loop
	ring ring
	buf  []byte
}

func newDelayHarness(t *testing.T) *delayHarness {
	e := &Engine{start: time.Now(), cfg: Config{Handler: &server{closed: make(chan closeNote, 1000)}}}
	e.cfg.Limits.setDefaults()
	e.cfg.MaxOutbound = 1 << 30
	l := &loop{engine: e, finishing: map[int32]*finishing{}, pausedSince: map[int32]time.Duration{}}
	l.wheel.now, l.wheel.conns = 1, &l.conns
	return &delayHarness{t: t, loop: l, ring: ring{limit: 1 << 20}, buf: make([]byte, 1<<20)}
}

// delayClient is a connection, the other end of its socket, and what it should receive.
type delayClient struct {
	*conn
	peer  int
	wants string   // delayed frames
	due   []string // writes that are due
}

func (h *delayHarness) join() *delayClient {
	h.t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	c := h.conns.alloc()
	c.fd, c.state, c.upgraded = int32(fds[0]), stateOpen, true
	h.ring.add(c, h.ring.head)
	h.t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return &delayClient{conn: c, peer: fds[1]}
}

// turn does what a loop does in a turn, until nothing is left to do at once.
func (h *delayHarness) turn() {
	h.flushQueued()
	for len(h.dirty) > 0 {
		h.sweep()
	}
}

// writes returns the writes that a client received.
func (h *delayHarness) writes(c *delayClient) (writes []string) {
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

// delayModel predicts the writes of a loop: delayed frames leave in one write, when the
// first is due, when there are many bytes, or when a frame follows that is not delayed; and
// for a single client ahead of a frame for that client only.
type delayModel struct {
	*delayHarness
	random  *rand.Rand
	clients []*delayClient
	now     time.Duration
	due     time.Duration // of the delayed frames; 0 without any
	waits   int           // their bytes
	split   bool          // so much left that it took several passes
}

// leave moves the delayed frames to the writes that are due.
func (m *delayModel) leave() {
	for _, c := range m.clients {
		if c.wants != "" {
			c.due = append(c.due, c.wants)
		}
		c.wants = ""
	}
	m.split = m.waits > chunkSize
	m.due, m.waits = 0, 0
}

// step does something at random, to the loop and to the model.
func (m *delayModel) step(i int) {
	switch n := m.random.IntN(20); {
	case n < 2 && len(m.clients) < 10:
		m.clients = append(m.clients, m.join())
	case n < 3 && len(m.clients) > 1: // delayed frames do not concern clients that have left
		c := m.clients[0]
		m.clients = m.clients[1:]
		m.ring.remove(c.conn)
		m.freeOutbound(c.conn)
	case n < 5 && len(m.clients) > 0:
		c := m.clients[m.random.IntN(len(m.clients))]
		answer := fmt.Sprintf("(answer %d)", i)
		m.queueFrames(c.conn, []Frame{Frame(answer)}, m.queueLog)
		c.due, c.wants = append(c.due, c.wants+answer), ""
	case n < 9:
		m.now += time.Duration(m.random.IntN(20))
		m.release(m.now)
		if m.due > 0 && m.due <= m.now {
			m.leave()
		}
	default:
		m.append(i)
	}
	m.turn()
}

func (m *delayModel) append(i int) {
	size := 1
	if m.random.IntN(30) == 0 {
		size = m.random.IntN(chunkSize / 2)
	}
	f := fmt.Sprintf("(%d%s)", i, strings.Repeat("x", size))
	until := m.now + time.Duration(m.random.IntN(30))
	if m.random.IntN(6) == 0 {
		until = 0
	}
	m.push(&m.ring, Frame(f), until)
	for _, c := range m.clients {
		c.wants += f
	}
	if m.waits += len(f); m.waits == len(f) || until < m.due {
		m.due = until
	}
	if m.due == 0 || m.waits >= chunkSize || len(m.clients) == 0 {
		m.leave()
	}
}

func (m *delayModel) check() error {
	for k, c := range m.clients {
		got := m.writes(c)
		if m.split {
			got, c.due = []string{strings.Join(got, "")}, []string{strings.Join(c.due, "")}
		}
		if !slices.Equal(got, c.due) {
			return fmt.Errorf("client %d got %.100q, want %.100q", k, got, c.due)
		}
		c.due = nil
	}
	if delayed := m.ring.delayed(); delayed != (m.due > 0) || delayed != (len(m.dueRings) > 0 && m.ring.due == m.due) {
		return fmt.Errorf("delayed %v until %d by %d rings, want %d", delayed, m.ring.due, len(m.dueRings), m.due)
	}
	return nil
}

func TestFramesLeaveTogetherWhenTheFirstIsDue(t *testing.T) {
	for seed := range uint64(50) {
		m := &delayModel{delayHarness: newDelayHarness(t), random: rand.New(rand.NewPCG(seed, 23)), now: 1}
		for i := range 200 {
			m.split = false
			m.step(i)
			if err := m.check(); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
		}
	}
}

func TestTheRingThatIsDueFirstLeavesFirst(t *testing.T) {
	h := newDelayHarness(t)
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
		t.Errorf("%d rings without frames are active", len(h.dueRings))
	}
}

func TestALoopWaitsUntilAFrameIsDueOrTheTick(t *testing.T) {
	h := newDelayHarness(t)
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
		alone bool // without followers
		want  bool
	}{
		"at once":                    {0, 10, false, false, true},
		"due before it wakes":        {99, 10, false, false, true},
		"due when it wakes":          {100, 10, false, false, false},
		"due later":                  {101, 10, false, false, false},
		"much that may wait":         {101, chunkSize, false, false, true},
		"at once, without followers": {0, 10, false, true, false},
		"much, without followers":    {0, chunkSize, false, true, true},
		"something to do":            {0, 0, true, false, true},
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
