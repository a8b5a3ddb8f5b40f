package testkit

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// Direction is one of the two of a connection.
type Direction int

// The directions of a connection.
const (
	Upstream   Direction = iota // from the client to the server
	Downstream                  // from the server to the client
)

// ChaosProxy relays connections, and cuts and stalls them at random places: the same seed gives the same places. On demand
// it stalls all of them, cuts all, or swallows what one direction says.
type ChaosProxy struct {
	Addr string

	ln    net.Listener
	ended sync.WaitGroup
	done  chan struct{}

	mu     sync.Mutex // guards the following fields
	target string
	rng    *rand.Rand
	calm   bool
	short  int // bytes of the server after which each connection is cut; 0: as the seed says
	pace   int // bytes a second that the server's direction has; 0: all
	live   map[*relayed]bool
	held   [2]chan struct{} // closed when the direction goes on; nil if it is not held
	cuts   int
	stalls int
}

// relayed is a connection from the client to the server.
type relayed struct {
	ends    [2]net.Conn // by the direction that reads from it: the client's end, and the server's
	swallow [2]bool     // guarded by the proxy's lock
}

func (r *relayed) reset() {
	for _, conn := range r.ends {
		reset(conn)
	}
}

// StartChaosProxy starts a proxy in front of an address. It ends with the test.
func StartChaosProxy(t testing.TB, target string, seed uint64) *ChaosProxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &ChaosProxy{
		Addr: ln.Addr().String(), target: target, ln: ln, done: make(chan struct{}),
		rng: rand.New(rand.NewPCG(seed, 1)), live: map[*relayed]bool{},
	}
	p.ended.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			p.ended.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		close(p.done)
		ln.Close()
		p.Calm()
		p.ended.Wait()
	})
	return p
}

// Target makes the next connections go to another address.
func (p *ChaosProxy) Target(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = addr
}

// Hold stalls directions of every connection, also of the next ones, until Release. What was said comes then.
func (p *ChaosProxy) Hold(directions ...Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalls++
	for _, d := range directions {
		if p.held[d] == nil {
			p.held[d] = make(chan struct{})
		}
	}
}

// Release ends Hold.
func (p *ChaosProxy) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release()
}

func (p *ChaosProxy) release() {
	for d, held := range p.held {
		if held != nil {
			close(held)
			p.held[d] = nil
		}
	}
}

// Swallow makes the present connections half open: what is said in a direction is read, and goes nowhere.
func (p *ChaosProxy) Swallow(direction Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for r := range p.live {
		r.swallow[direction] = true
	}
}

// Cut cuts all connections.
func (p *ChaosProxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for r := range p.live {
		r.reset()
		p.cuts++
	}
}

// Shorten makes each of the next connections be cut after so many bytes from the server, and nothing else happen to it.
func (p *ChaosProxy) Shorten(bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.short = bytes
}

// Slow makes what the server says pass with so many bytes a second on each connection; 0 ends that.
func (p *ChaosProxy) Slow(bytesPerSecond int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pace = bytesPerSecond
}

// Calm ends the faults: it cuts all connections once more, and relays the next ones as they are.
func (p *ChaosProxy) Calm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calm = true
	p.release()
	for r := range p.live {
		r.reset()
	}
}

// Faults returns how many connections were cut, and how often one was stalled.
func (p *ChaosProxy) Faults() (cuts, stalls int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts, p.stalls
}

// plan is what becomes of one direction of a connection: after so many bytes it is cut, and before that stalled once.
type plan struct {
	faulty     bool
	stallAfter int
	stallFor   time.Duration
	cutAfter   int
}

// begin takes a connection in, and draws its faults. Most are cut by what the server sends: a client sends little.
func (p *ChaosProxy) begin(r *relayed) (plans [2]plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live[r] = true
	if p.calm {
		return plans
	}
	if p.short > 0 {
		plans[Downstream] = plan{faulty: true, cutAfter: p.short, stallAfter: p.short}
		return plans
	}
	draw := func(most int) plan {
		cut := 1 + p.rng.IntN(most)
		return plan{faulty: true, cutAfter: cut, stallAfter: p.rng.IntN(2 * cut), stallFor: time.Duration(p.rng.IntN(200)) * time.Millisecond}
	}
	return [2]plan{Upstream: draw(40_000), Downstream: draw(200_000)}
}

func (p *ChaosProxy) serve(client net.Conn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := net.Dial("tcp", target)
	if err != nil {
		reset(client)
		return
	}
	r := &relayed{ends: [2]net.Conn{client, server}}
	plans := p.begin(r)
	var both sync.WaitGroup
	for _, d := range []Direction{Upstream, Downstream} {
		both.Go(func() { p.relay(r, d, plans[d]) })
	}
	both.Wait()
	p.mu.Lock()
	delete(p.live, r)
	p.mu.Unlock()
}

// relay copies one direction, and ends both with it.
func (p *ChaosProxy) relay(r *relayed, d Direction, plan plan) {
	defer r.reset()
	buf := make([]byte, 32<<10)
	stalls := plan.faulty && plan.stallAfter < plan.cutAfter
	for passed := 0; ; {
		room := len(buf)
		if stalls {
			room = min(room, plan.stallAfter-passed)
		} else if plan.faulty {
			room = min(room, plan.cutAfter-passed)
		}
		n, err := r.ends[d].Read(buf[:room])
		if !p.pass(r, d, buf[:n]) || err != nil {
			return
		}
		passed += n
		switch {
		case stalls && passed >= plan.stallAfter:
			stalls = false
			p.note(&p.stalls)
			wait(p, time.After(plan.stallFor))
		case plan.faulty && !stalls && passed >= plan.cutAfter:
			p.note(&p.cuts)
			return
		}
	}
}

// pass writes what a direction says, once it may.
func (p *ChaosProxy) pass(r *relayed, d Direction, said []byte) bool {
	for {
		p.mu.Lock()
		held, swallow, pace := p.held[d], r.swallow[d], p.pace
		p.mu.Unlock()
		if pace > 0 && d == Downstream && len(said) > 0 {
			wait(p, time.After(time.Duration(len(said))*time.Second/time.Duration(pace)))
		}
		if held == nil {
			if swallow {
				return true
			}
			_, err := r.ends[1-d].Write(said)
			return err == nil
		}
		if !wait(p, held) {
			return false
		}
	}
}

// wait waits for an event, and reports whether it came before the proxy's end.
func wait[T any](p *ChaosProxy, event <-chan T) bool {
	select {
	case <-event:
		return true
	case <-p.done:
		return false
	}
}

func (p *ChaosProxy) note(count *int) {
	p.mu.Lock()
	*count++
	p.mu.Unlock()
}

// reset closes a connection without a goodbye, as a lost network does.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
