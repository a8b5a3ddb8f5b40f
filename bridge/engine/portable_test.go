//go:build unix

package engine

import (
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// pair is a poller with a connected socket that the test reads and writes itself.
type pair struct {
	*portable
	t    *testing.T
	peer *net.TCPConn
	conn conn
}

const pairSlot, pairGen = 3, 7

func newPair(t *testing.T) *pair {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	ours, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	file, err := ours.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	ours.Close()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	file.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	p := &pair{portable: newPortable(), t: t, peer: peer.(*net.TCPConn), conn: conn{fd: int32(fd), slot: pairSlot, gen: pairGen}}
	if err := p.add(fd, pairSlot, pairGen); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.connection(pairSlot, pairGen) != nil {
			p.closeSocket(&p.conn)
		}
		p.close()
	})
	return p
}

// expect waits for one event.
func (p *pair) expect(what uint8) {
	p.t.Helper()
	for deadline := time.Now().Add(testkit.Patience); time.Now().Before(deadline); {
		switch events := p.wait(time.Second); {
		case len(events) == 1 && events[0] == event{pairSlot, pairGen, what}:
			return
		case len(events) > 0:
			p.t.Fatalf("got %v, want %d", events, what)
		}
	}
	p.t.Fatal("nothing came")
}

// expectNone waits until the goroutines end, and checks that none has reported.
func (p *pair) expectNone() {
	p.t.Helper()
	p.running.Wait()
	if events := p.take(); len(events) > 0 {
		p.t.Fatalf("got %v", events)
	}
}

func (p *pair) send(what string) {
	p.t.Helper()
	if _, err := p.peer.Write([]byte(what)); err != nil {
		p.t.Fatal(err)
	}
}

// drain reads until the socket is empty or at its end.
func (p *pair) drain() (read int) {
	buf := make([]byte, 100)
	for {
		n, err := unix.Read(int(p.conn.fd), buf)
		if n <= 0 || err != nil {
			return read
		}
		read += n
	}
}

func TestInputThatArrivesBeforeItIsAwaitedIsReported(t *testing.T) {
	p := newPair(t)
	p.send("one")
	p.expect(eventReadable)
	p.drain()
	p.running.Wait() // no goroutine waits for the socket now
	p.send("two")
	testkit.WaitUntil(t, "the bytes are in the socket", func() bool { n, err := unreadBytes(int(p.conn.fd)); return err == nil && n == 3 })
	p.awaitReadable(pairSlot)
	p.expect(eventReadable)
}

func TestASocketIsReportedOnceHoweverOftenItIsRequested(t *testing.T) {
	p := newPair(t)
	p.awaitReadable(pairSlot)
	p.send("one")
	p.awaitReadable(pairSlot)
	p.expect(eventReadable)
	p.expectNone()
	p.drain()
	p.awaitReadable(pairSlot)
	p.awaitReadable(pairSlot)
	p.send("two")
	p.expect(eventReadable)
	p.expectNone()
}

// While all processors are busy, Go's poller is not called.
func TestABusyLoopPollsItself(t *testing.T) {
	p := newPair(t)
	p.send("one")
	p.expect(eventReadable)
	p.drain()
	p.running.Wait()
	w := p.watched[pairSlot]
	w.readWait, w.writeWait = true, true // as if goroutines were waiting that do not get to run
	seen := func() (what uint8) {
		for _, ev := range p.wait(0) {
			what |= ev.what
		}
		return what
	}
	if got := seen(); got != eventWritable {
		t.Fatalf("an empty socket is seen as %d", got)
	}
	p.send("two")
	testkit.WaitUntil(t, "input is seen", func() bool { return seen() == eventReadable|eventWritable })
	w.readWait, w.writeWait = false, false
	if got := seen(); got != 0 {
		t.Errorf("a socket that is not waited for is seen as %d", got)
	}
}

func TestTheEndOfAConnectionIsReadable(t *testing.T) {
	for name, end := range map[string]func(*net.TCPConn) error{
		"FIN": func(c *net.TCPConn) error { return c.CloseWrite() },
		"RST": func(c *net.TCPConn) error { _ = c.SetLinger(0); return c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			if err := end(p.peer); err != nil {
				t.Fatal(err)
			}
			p.expect(eventReadable)
		})
	}
}

// fill writes until the socket stays full, and leaves the poller waiting for room. Packets that are under way make some
// for a while.
func (p *pair) fill() (sent int) {
	p.t.Helper()
	chunk := make([]byte, 64<<10)
	for {
		n, err := unix.Write(int(p.conn.fd), chunk)
		if err == nil {
			sent += n
			continue
		}
		p.awaitWritable(pairSlot)
		switch events := p.wait(tickLength); {
		case len(events) == 0:
			return sent
		case len(events) > 1 || events[0] != event{pairSlot, pairGen, eventWritable}:
			p.t.Fatalf("got %v", events)
		}
	}
}

func TestAFullSocketIsReportedWhenItIsWritable(t *testing.T) {
	p := newPair(t)
	sent := p.fill()
	p.send("meanwhile")
	p.expect(eventReadable) // not delayed by the other goroutine
	chunk := make([]byte, 64<<10)
	for read := 0; read < sent; {
		n, err := p.peer.Read(chunk)
		if err != nil {
			t.Fatal(err)
		}
		read += n
	}
	p.expect(eventWritable)
	p.expectNone()
}

// broken is a socket for which waiting in Go's poller fails.
type broken struct{ syscall.RawConn }

func (broken) Read(func(uintptr) bool) error  { return unix.EIO }
func (broken) Write(func(uintptr) bool) error { return unix.EIO }

func TestASocketThatCannotBeWaitedForIsReported(t *testing.T) {
	p := newPair(t)
	p.send("one")
	p.expect(eventReadable)
	p.drain()
	w := p.watched[pairSlot]
	w.raw = broken{w.raw}
	p.awaitReadable(pairSlot)
	p.expect(eventReadable)
	p.awaitWritable(pairSlot)
	p.expect(eventWritable)
	p.expectNone()
}

func TestAClosedConnectionReportsNothing(t *testing.T) {
	p := newPair(t)
	p.awaitReadable(pairSlot)
	p.closeSocket(&p.conn)
	p.expectNone()
	if _, err := p.peer.Read(make([]byte, 1)); err == nil {
		t.Error("the socket is still open")
	}
	if p.connection(pairSlot, pairGen) != nil {
		t.Error("the poller still knows the connection")
	}
}

// A report made before its connection was closed must not clear the wait of the connection
// that has the slot now.
func TestAStaleReportDoesNotAffectTheSlotsNextConnection(t *testing.T) {
	p := newPair(t)
	p.send("one")
	p.running.Wait() // the report is made but not taken
	p.closeSocket(&p.conn)
	next := newPair(t)
	fd, err := unix.FcntlInt(uintptr(next.conn.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.add(fd, pairSlot, pairGen+1); err != nil {
		t.Fatal(err)
	}
	for _, ev := range p.wait(0) {
		if ev.gen != pairGen {
			t.Errorf("the successor is reported: %v", ev)
		}
	}
	if !p.watched[pairSlot].readWait {
		t.Error("the successor is taken for one without a wait")
	}
	p.closeSocket(&conn{fd: int32(fd), slot: pairSlot, gen: pairGen + 1})
}

func TestAWakeIsNotLost(t *testing.T) {
	p := newPortable()
	defer p.close()
	for range 1000 {
		woken := make(chan struct{})
		go func() { p.wake(); close(woken) }()
		if p.wait(time.Hour); len(p.signal) > 0 {
			t.Fatal("the wake is still there")
		}
		<-woken
	}
}
