//go:build unix

package engine

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// portable is a poller built on Go's own. A goroutine waits for each socket that the loop
// requested, reports it, and ends. No socket is waited for twice at a time, so reports
// cannot pile up. An idle connection costs that goroutine and its socket's entry in Go's
// poller.
type portable struct {
	watched   []*watch       // connections by slot; nil if there is none
	listeners map[int]*watch // by file descriptor
	running   sync.WaitGroup // goroutines that wait

	taken        []event // from ready; those before next were passed to the loop
	next         int
	pollNext     int // the slot where the next poll begins
	pollFds      []unix.PollFd
	polled       []*watch // the watches of pollFds
	polledEvents []event
	timer        *time.Timer
	signal       chan struct{} // holds a token if something is ready or wake was called

	mu    sync.Mutex
	ready []event // guarded by mu
}

// watch is a socket known to the portable poller. The loop owns it; waiting goroutines use
// only what never changes.
type watch struct {
	p    *portable
	file *os.File // the socket, registered with Go's poller
	raw  syscall.RawConn
	fd   int32
	slot int32
	gen  uint32

	readWait  bool // a goroutine waits for input, or its report is on the way
	writeWait bool // likewise until it is writable
}

func newPortable() *portable {
	p := &portable{listeners: map[int]*watch{}, signal: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	p.timer.Stop()
	return p
}

// newWatch registers a socket with Go's poller. The watch owns the socket, even on error.
func (p *portable) newWatch(fd int, slot int32, gen uint32) (*watch, error) {
	w := &watch{p: p, file: os.NewFile(uintptr(fd), "socket"), fd: int32(fd), slot: slot, gen: gen}
	var err error
	if w.raw, err = w.file.SyscallConn(); err == nil {
		// Only a file registered with Go's poller can have a deadline.
		err = w.file.SetDeadline(time.Time{})
	}
	if err != nil {
		return w, fmt.Errorf("engine: Go's poller does not accept the socket: %w", err)
	}
	return w, nil
}

func (p *portable) add(fd int, slot int32, gen uint32) error {
	w, err := p.newWatch(fd, slot, gen)
	for int(slot) >= len(p.watched) {
		p.watched = append(p.watched, nil)
	}
	p.watched[slot] = w
	if err == nil {
		w.awaitReadable()
	}
	return err
}

func (p *portable) oneShot() bool            { return true }
func (p *portable) awaitReadable(slot int32) { p.watched[slot].awaitReadable() }

func (p *portable) awaitWritable(slot int32) {
	if w := p.watched[slot]; !w.writeWait {
		w.writeWait = true
		p.running.Add(1)
		go w.waitWritable()
	}
}

// closeSocket interrupts the goroutines that wait for the socket, and returns when they no
// longer use it.
func (p *portable) closeSocket(c *conn) {
	if w := p.connection(c.slot, c.gen); w != nil {
		p.watched[c.slot] = nil
		w.file.Close()
		return
	}
	unix.Close(int(c.fd))
}

func (p *portable) release(c *conn) *os.File {
	file := p.watched[c.slot].file
	p.watched[c.slot] = nil
	return file
}

// listen waits on a duplicate that belongs to the poller: a [net.Listener] may have
// registered the socket itself.
func (p *portable) listen(fd int) error {
	w := p.listeners[fd]
	if w == nil {
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("engine: dup: %w", err)
		}
		if w, err = p.newWatch(own, listenSlot, uint32(fd)); err != nil {
			w.file.Close()
			return err
		}
		p.listeners[fd] = w
	}
	w.awaitReadable()
	return nil
}

// pause does nothing: the socket is not waited for until the loop requests it.
func (p *portable) pause(int) {}

func (p *portable) unlisten(fd int) {
	if w := p.listeners[fd]; w != nil {
		delete(p.listeners, fd)
		w.file.Close()
	}
}

func (p *portable) close() {
	for fd := range p.listeners {
		p.unlisten(fd)
	}
	p.running.Wait()
}

// wait returns a bounded number of reports. While all processors are busy, Go polls only
// every 10 ms, so a busy loop polls some of its sockets itself.
func (p *portable) wait(timeout time.Duration) []event {
	if events := p.take(); len(events) > 0 {
		return events
	}
	if timeout == 0 {
		return p.pollShare()
	}
	p.timer.Reset(timeout)
	select {
	case <-p.signal:
		p.timer.Stop()
	case <-p.timer.C:
	}
	return p.take()
}

// pollShare polls some of the sockets that goroutines wait for, without waiting. The
// goroutines continue: what they report later is old news to the loop, or a new event.
func (p *portable) pollShare() []event {
	p.pollFds, p.polled = p.pollFds[:0], p.polled[:0]
	for _, w := range p.listeners {
		p.addPoll(w)
	}
	for range min(len(p.watched), eventsPerTurn) {
		p.pollNext = (p.pollNext + 1) % len(p.watched)
		if w := p.watched[p.pollNext]; w != nil {
			p.addPoll(w)
		}
	}
	// An error says nothing about the sockets; the goroutines report them.
	if n, err := unix.Poll(p.pollFds, 0); n == 0 || err != nil {
		return nil
	}
	p.polledEvents = p.polledEvents[:0]
	for i, w := range p.polled {
		got := p.pollFds[i].Revents
		ev := event{slot: w.slot, gen: w.gen}
		if w.readWait && got&^unix.POLLOUT != 0 {
			ev.what |= eventReadable
		}
		if w.writeWait && got&^unix.POLLIN != 0 {
			ev.what |= eventWritable
		}
		if ev.what != 0 {
			p.polledEvents = append(p.polledEvents, ev)
		}
	}
	return p.polledEvents
}

// addPoll adds a socket to those to poll, if a goroutine waits for it.
func (p *portable) addPoll(w *watch) {
	var what int16
	if w.readWait {
		what |= unix.POLLIN
	}
	if w.writeWait {
		what |= unix.POLLOUT
	}
	if what != 0 {
		p.pollFds = append(p.pollFds, unix.PollFd{Fd: w.fd, Events: what})
		p.polled = append(p.polled, w)
	}
}

// take removes reports, and records that nothing waits for those sockets any more.
func (p *portable) take() []event {
	if p.next == len(p.taken) {
		p.mu.Lock()
		p.taken, p.ready, p.next = p.ready, p.taken[:0], 0
		p.mu.Unlock()
	}
	events := p.taken[p.next:min(len(p.taken), p.next+eventsPerTurn)]
	p.next += len(events)
	for _, ev := range events {
		w := p.listeners[int(ev.gen)]
		if ev.slot != listenSlot {
			w = p.connection(ev.slot, ev.gen)
		}
		switch {
		case w == nil: // closed since then, as the loop will find out
		case ev.what == eventWritable:
			w.writeWait = false
		default:
			w.readWait = false
		}
	}
	return events
}

// connection returns the watch of a connection, or nil if it is gone or has none.
func (p *portable) connection(slot int32, gen uint32) *watch {
	if int(slot) >= len(p.watched) {
		return nil
	}
	if w := p.watched[slot]; w != nil && w.gen == gen {
		return w
	}
	return nil
}

// wake leaves a token for the loop.
func (p *portable) wake() {
	select {
	case p.signal <- struct{}{}:
	default:
	}
}

// report reports a socket to the loop.
func (p *portable) report(ev event) {
	p.mu.Lock()
	p.ready = append(p.ready, ev)
	p.mu.Unlock()
	p.wake()
}

func (w *watch) awaitReadable() {
	if !w.readWait {
		w.readWait = true
		w.p.running.Add(1)
		go w.waitReadable()
	}
}

// waitReadable reports the socket once, unless it is closed first.
func (w *watch) waitReadable() {
	defer w.p.running.Done()
	if err := w.raw.Read(canRead); err == nil || w.open() {
		w.p.report(event{w.slot, w.gen, eventReadable})
	}
}

func (w *watch) waitWritable() {
	defer w.p.running.Done()
	if err := w.raw.Write(canWrite); err == nil || w.open() {
		w.p.report(event{w.slot, w.gen, eventWritable})
	}
}

// open reports whether the socket is still open. A failed wait on an open socket must be
// reported, or the loop would never look at it again; the loop's own call then shows the
// error.
func (w *watch) open() bool { return w.raw.Control(func(uintptr) {}) == nil }

// canRead and canWrite check the socket itself. Go's poller calls them before it waits, so
// earlier events are not missed; they consume nothing.
func canRead(fd uintptr) bool  { return isReady(fd, unix.POLLIN) }
func canWrite(fd uintptr) bool { return isReady(fd, unix.POLLOUT) }

func isReady(fd uintptr, what int16) bool {
	socket := [1]unix.PollFd{{Fd: int32(fd), Events: what}}
	n, err := unix.Poll(socket[:], 0)
	return n > 0 || err != nil // the loop's own call will show the error
}
