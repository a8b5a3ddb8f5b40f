package engine

import (
	"errors"
	"net"
	"sync"
	"time"
)

// gang carries connections on goroutines, two for each: those that need TLS. The logs, limits and rules are those
// of the loops.
type gang struct {
	engine *Engine
	kept   streams // the logs that have frames
	counts counters
	ledger lockedLedger // frames queued for single connections
	chores chan func()  // work for the watch goroutine; at most one at a time

	// mu guards the following fields.
	mu       sync.Mutex
	peers    map[*peer]struct{}
	draining string // the reason to turn connections away, or ""
	drained  func() // called when the last is gone

	stopped chan struct{}
}

func newGang(e *Engine) *gang {
	g := &gang{engine: e, peers: map[*peer]struct{}{}, chores: make(chan func(), 1), stopped: make(chan struct{})}
	g.kept.waiting.fill()
	e.running.Go(g.watch)
	return g
}

// watch lets logs forget what is too old, and looks after connections whose
// writers are stuck.
func (g *gang) watch() {
	tick := time.NewTicker(tickLength)
	defer tick.Stop()
	for {
		select {
		case <-g.stopped:
			return
		case do := <-g.chores:
			do()
			continue
		case <-tick.C:
		}
		g.mu.Lock()
		peers := g.all()
		g.mu.Unlock()
		g.kept.waiting.recover()
		age := ticks(g.engine.cfg.LogAge)
		g.counts.backlog.Store(int64(g.kept.expire(g.engine.now(), age)))
		for _, p := range peers {
			p.unstick()
		}
	}
}

// streams are the logs of a gang that have frames, or had at the last tick.
type streams struct {
	waiting waitBudget

	mu    sync.Mutex // guards the following; it is taken within a stream's
	all   []*stream
	ahead []*stream // whose fastest follower is far behind, perhaps
}

func (k *streams) noteAhead(s *stream) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ahead = append(k.ahead, s)
}

// awaitRoom waits for the fastest followers of the logs that are far ahead of them, as
// long as the wait budget lasts.
func (k *streams) awaitRoom() {
	k.mu.Lock()
	ahead := k.ahead
	k.ahead = nil
	k.mu.Unlock()
	for _, s := range ahead {
		s.awaitRoom()
	}
}

func (k *streams) add(s *stream) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(k.all, s)
}

// expire forgets frames that are older than so many ticks. Only logs that have
// frames cost anything. It gives the bytes of those that are left.
func (k *streams) expire(now, age tick) (bytes int) {
	k.mu.Lock()
	all := k.all
	k.all = nil
	k.mu.Unlock()
	for _, s := range all {
		bytes += s.expire(now, age)
	}
	return bytes
}

// acceptPause is how long accepting rests when the system has no more sockets.
const acceptPause = 100 * time.Millisecond

// listen serves a listener's connections until it is closed.
func (g *gang) listen(ln net.Listener, options *ListenOptions) {
	g.engine.running.Go(func() {
		for {
			socket, err := ln.Accept()
			switch {
			case err == nil:
				g.serve(socket, options)
			case errors.Is(err, net.ErrClosed):
				return
			default:
				g.engine.log.Error("cannot accept connections", "error", err)
				time.Sleep(acceptPause)
			}
		}
	})
}

// serve gives a connection its goroutines, unless the gang is draining.
func (g *gang) serve(socket net.Conn, options *ListenOptions) {
	p := newPeer(g, socket)
	p.in = incoming{on: p, options: options, client: p.remoteAddr(), expectProxy: options.Proxy}
	if r, ok := socket.(proxyReader); ok && r.ReadsProxyHeader() {
		p.in.readsProxy, p.in.expectProxy = true, false
	}
	g.mu.Lock()
	if g.draining != "" {
		g.mu.Unlock()
		socket.Close()
		return
	}
	g.peers[p] = struct{}{}
	g.mu.Unlock()
	g.engine.limiter.enter(&p.in).tell()
	g.engine.running.Go(func() {
		p.serve()
		g.engine.limiter.abandon(&p.in)
		g.forget(p)
	})
}

func (g *gang) forget(p *peer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.peers, p)
	g.checkDrained()
}

// checkDrained tells who waits for the last connection. mu is held.
func (g *gang) checkDrained() {
	if len(g.peers) == 0 && g.drained != nil {
		g.drained()
		g.drained = nil
	}
}

func (g *gang) carry(log *Log, f Frame, _ time.Duration) { log.stream.append(f) }

func (g *gang) figures() (*counters, int) { return &g.counts, 0 }

func (g *gang) list() (open []member) {
	g.mu.Lock()
	peers := g.all()
	g.mu.Unlock()
	for _, p := range peers {
		p.mu.Lock()
		if p.state == stateOpen {
			open = append(open, member{p.handle(), p.session})
		}
		p.mu.Unlock()
	}
	return open
}

func (g *gang) drain(reason string, done func()) {
	g.mu.Lock()
	g.draining, g.drained = reason, done
	g.checkDrained()
	peers := g.all()
	g.mu.Unlock()
	for _, p := range peers {
		p.goAway(reason)
	}
}

func (g *gang) stop() {
	close(g.stopped)
	g.mu.Lock()
	peers := g.all()
	g.mu.Unlock()
	for _, p := range peers {
		p.socket.Close()
	}
}

func (g *gang) over() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.peers) == 0
}

// nudge has nothing to do: a reader waits for its own client only.
func (g *gang) nudge() {}

// all lists the connections. mu is held.
func (g *gang) all() []*peer {
	peers := make([]*peer, 0, len(g.peers))
	for p := range g.peers {
		peers = append(peers, p)
	}
	return peers
}
