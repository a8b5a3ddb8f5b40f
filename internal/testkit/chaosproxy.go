package testkit

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// ChaosProxy relays connections, and cuts and stalls them at random places. The same seed gives the same places.
type ChaosProxy struct {
	Addr string

	target string
	ln     net.Listener
	ended  sync.WaitGroup
	done   chan struct{}

	mu    sync.Mutex // guards the following fields
	rng   *rand.Rand
	calm  bool
	live  map[net.Conn]bool // both ends
	cuts  int
	stall int
}

// StartChaosProxy starts a proxy in front of an address. It ends with the test.
func StartChaosProxy(t testing.TB, target string, seed uint64) *ChaosProxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &ChaosProxy{Addr: ln.Addr().String(), target: target, ln: ln, done: make(chan struct{}), rng: rand.New(rand.NewPCG(seed, 1)), live: map[net.Conn]bool{}}
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

// Calm ends the faults: it cuts all connections once more, and relays the next ones as they are.
func (p *ChaosProxy) Calm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calm = true
	for conn := range p.live {
		reset(conn)
	}
}

// Faults returns how many connections were cut, and how often one was stalled.
func (p *ChaosProxy) Faults() (cuts, stalls int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts, p.stall
}

// plan is what becomes of one direction of a connection: after so many bytes it is cut, and before that stalled once.
type plan struct {
	faulty     bool
	stallAfter int
	stallFor   time.Duration
	cutAfter   int
}

// plans draws the faults of a connection. Most are cut by what the bridge sends: a client sends little.
func (p *ChaosProxy) plans() (up, down plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calm {
		return plan{}, plan{}
	}
	draw := func(most int) plan {
		cut := 1 + p.rng.IntN(most)
		return plan{faulty: true, cutAfter: cut, stallAfter: p.rng.IntN(2 * cut), stallFor: time.Duration(p.rng.IntN(200)) * time.Millisecond}
	}
	return draw(40_000), draw(200_000)
}

func (p *ChaosProxy) serve(client net.Conn) {
	bridge, err := net.Dial("tcp", p.target)
	if err != nil {
		client.Close()
		return
	}
	p.mu.Lock()
	p.live[client], p.live[bridge] = true, true
	p.mu.Unlock()
	up, down := p.plans()
	var both sync.WaitGroup
	both.Go(func() { p.relay(bridge, client, up) })
	both.Go(func() { p.relay(client, bridge, down) })
	both.Wait()
	p.mu.Lock()
	delete(p.live, client)
	delete(p.live, bridge)
	p.mu.Unlock()
}

// relay copies one direction, and ends both with it.
func (p *ChaosProxy) relay(to, from net.Conn, plan plan) {
	defer reset(to)
	defer reset(from)
	if !plan.faulty {
		_, _ = io.Copy(to, from)
		return
	}
	if plan.stallAfter < plan.cutAfter {
		if n, err := io.CopyN(to, from, int64(plan.stallAfter)); err != nil || n < int64(plan.stallAfter) {
			return
		}
		plan.cutAfter -= plan.stallAfter
		p.note(&p.stall)
		select {
		case <-time.After(plan.stallFor):
		case <-p.done:
		}
	}
	if _, err := io.CopyN(to, from, int64(plan.cutAfter)); err == nil {
		p.note(&p.cuts)
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
