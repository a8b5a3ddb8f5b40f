package simulation

import (
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// network is between the link and the broker. It has the open connections, for faults.
type network struct {
	w       *world
	dial    func() (net.Conn, error) // to the broker
	mu      sync.Mutex               // guards the following fields
	refused time.Time                // connections are refused until then
	mute    time.Time                // new connections are stalled until then
	dialled int
	conns   []*pipe // of the link, the latest last
}

var errRefused = syscall.ECONNREFUSED

// connect is [amqpx.Config.Dial].
func (n *network) connect(_, _ string) (net.Conn, error) {
	n.mu.Lock()
	n.dialled++
	number := n.dialled
	rng := n.w.source("network", number)
	refused, mute := n.refused, n.mute
	n.mu.Unlock()
	latency := time.Duration(rng.Int64N(int64(4 * time.Millisecond)))
	pass(latency + time.Duration(rng.Int64N(int64(time.Millisecond))))
	if time.Now().Before(refused) {
		return nil, errRefused
	}
	far, err := n.dial()
	if err != nil {
		return nil, errRefused
	}
	p := &pipe{
		up:   newHalf(n.w.source("network up", number), latency, upCapacity),
		down: newHalf(n.w.source("network down", number), latency, capacity),
	}
	p.up.other, p.down.other = p.down, p.up
	p.up.stallUntil(mute)
	p.down.stallUntil(mute)
	n.mu.Lock()
	n.conns = append(n.conns, p)
	n.mu.Unlock()
	n.w.running.Go(func() { carry(far, p.up) })
	n.w.running.Go(func() { carryBack(far, p.down) })
	return &end{in: p.down, out: p.up, wrote: func(b []byte) { n.w.wrote(p, b) }}, nil
}

// carry copies from the link to the broker.
func carry(far net.Conn, up *half) {
	buf := make([]byte, 4096)
	for {
		m, err := up.read(buf)
		if m > 0 {
			if _, err := far.Write(buf[:m]); err != nil {
				up.fail(syscall.EPIPE)
				return
			}
		}
		if err != nil {
			hangUp(far, up)
			return
		}
	}
}

// carryBack copies from the broker to the link.
func carryBack(far net.Conn, down *half) {
	buf := make([]byte, 4096)
	for {
		m, err := far.Read(buf)
		if m > 0 {
			if _, err := down.write(buf[:m]); err != nil {
				hangUp(far, down)
				return
			}
		}
		if err != nil {
			if !down.isSilent() {
				down.finish(nil)
			}
			return
		}
	}
}

// hangUp closes the connection of the broker, unless the network is silent.
func hangUp(far net.Conn, h *half) {
	if !h.isSilent() {
		far.Close()
	}
}

// endAll closes every connection.
func (n *network) endAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.conns {
		p.reset()
	}
}

// open returns the connections in use, in the order of dialling.
func (n *network) open() (open []*pipe) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.conns {
		if !p.over() {
			open = append(open, p)
		}
	}
	return open
}

// isSilent reports whether the link still uses a silent connection.
func (n *network) isSilent() bool {
	return slices.ContainsFunc(n.open(), func(p *pipe) bool { return p.up.isSilent() || p.down.isSilent() })
}

func (n *network) refuse(until, mute time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refused, n.mute = until, mute
}

// pipe is a connection.
type pipe struct{ up, down *half }

func (p *pipe) over() bool { return p.up.over() || p.down.over() }

// reset breaks the connection. Data in flight is lost.
func (p *pipe) reset() {
	p.up.fail(syscall.ECONNRESET)
	p.down.fail(syscall.ECONNRESET)
}

// end is the link's end of a connection.
type end struct {
	in, out *half
	wrote   func([]byte)
}

func (e *end) Read(p []byte) (int, error) { return e.in.read(p) }

func (e *end) Write(p []byte) (int, error) {
	e.wrote(p) // even if this fails: the writer cannot know how much was sent
	if e.out.over() {
		return 0, syscall.EPIPE
	}
	return e.out.write(p)
}

func (e *end) Close() error {
	e.out.finish(nil)
	e.in.fail(net.ErrClosed)
	return nil
}

func (e *end) SetReadDeadline(t time.Time) error  { e.in.setDeadline(&e.in.readBy, t); return nil }
func (e *end) SetWriteDeadline(t time.Time) error { e.out.setDeadline(&e.out.writeBy, t); return nil }
func (e *end) SetDeadline(t time.Time) error {
	return errors.Join(e.SetReadDeadline(t), e.SetWriteDeadline(t))
}
func (*end) LocalAddr() net.Addr  { return address{} }
func (*end) RemoteAddr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "simulated" }
func (address) String() string  { return "simulated" }

// source is a source of randomness of one part of the world.
type source = *rand.Rand
