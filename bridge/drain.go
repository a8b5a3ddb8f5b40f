package bridge

import (
	"context"
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

const (
	// closeGrace is the part of the drain timeout that is reserved for close handshakes and
	// for closing the link; of a short timeout it is a quarter.
	closeGrace = 8 * time.Second
	// linkCloseGrace is the link's part of that, for the last confirms and for closing.
	linkCloseGrace = 3 * time.Second
	// shedEvery is how often some clients are shed.
	shedEvery = 10 * time.Millisecond

	goingAway       = 1001 // the close code, see RFC 6455, 7.4.1
	goingAwayReason = "the bridge is stopping; connect again"
)

// Drain configures how a bridge stops. It serves on for Delay and until no command's end is
// awaited, and then closes its clients.
type Drain struct {
	// Delay is how long the bridge says that it is not ready before it refuses and closes
	// clients, so that a load balancer can stop sending it new ones. It must be at most half
	// of Timeout.
	Delay time.Duration
	// ShedRate is how many clients are closed a second, or more if the timeout is short.
	// 0 is 500.
	ShedRate int
	// Timeout bounds the whole drain. 0 is 30 s.
	Timeout time.Duration
}

func (d *Drain) setDefaults() {
	if d.ShedRate == 0 {
		d.ShedRate = 500
	}
	if d.Timeout == 0 {
		d.Timeout = 30 * time.Second
	}
	d.Delay = min(d.Delay, d.Timeout/2)
}

// closing returns the time that is reserved for close handshakes and for closing the link.
func (d *Drain) closing() time.Duration { return min(closeGrace, d.Timeout/4) }

// servesOn returns the longest time for which clients are served as before: what is left of the
// timeout without the time for closing this many clients.
func (d *Drain) servesOn(clients int) time.Duration {
	left := d.Timeout - d.closing()
	shedding := time.Duration(float64(clients) / float64(d.ShedRate) * float64(time.Second))
	return max(d.Delay, left-min(shedding, left/2))
}

// serveOn begins the drain: the bridge is no longer ready, and serves everybody as before for the
// delay and until no command's end is awaited. So nobody is turned away while the next bridge
// cannot serve them yet, and who waits for a command learns how it ended.
func (b *Bridge) serveOn() {
	limits := *b.drainAs.Load()
	b.drainEnd = time.Now().Add(limits.Timeout)
	b.draining.Store(true)
	if n := b.hub.Inflight.Awaited(); n > 0 || limits.Delay > 0 {
		b.log.Info("stopping; clients are served until no command's end is awaited", "awaited", n, "delay", limits.Delay, "at_most", limits.servesOn(b.Clients()))
	}
	limits.awaitQuiet(b.hub.Inflight.Awaited, b.Clients)
}

// awaitQuiet waits for the delay and until no command's end is awaited, but no longer than the
// number of clients allows.
func (d *Drain) awaitQuiet(awaited, clients func() int) {
	start := time.Now()
	tick := time.NewTicker(shedEvery)
	defer tick.Stop()
	for {
		switch served := time.Since(start); {
		case served < d.Delay:
		case awaited() == 0, served >= d.servesOn(clients()):
			return
		}
		<-tick.C
	}
}

// drain stops the service: the bridge accepts no clients, and closes its clients at a steady
// rate, so that they do not all reconnect at the same moment. Each is served until it is closed,
// which waits for the outcomes and the results of its commands.
func (b *Bridge) drain() error {
	limits := *b.drainAs.Load()
	if b.drainEnd.IsZero() { // the link has ended by itself
		b.drainEnd = time.Now().Add(limits.Timeout)
	}
	b.draining.Store(true)
	b.leaving.Store(true)
	b.engine.StopListening()
	s := shedding{rate: limits.ShedRate}
	b.engine.Each(func(conn engine.Conn, v any) { s.clients = append(s.clients, leavingClient{conn, v.(*client)}) })
	b.log.Info("stopping", "clients", len(s.clients))
	closing := limits.closing()
	s.run(b.drainEnd.Add(-closing))
	ctx, cancel := context.WithDeadline(context.Background(), b.drainEnd.Add(-closing*linkCloseGrace/closeGrace))
	defer cancel()
	return b.shutdown(ctx)
}

// shedding closes clients at a rate.
type shedding struct {
	rate    int
	clients []leavingClient // those that are not leaving yet
	busy    []leavingClient // those that are closed once their commands have outcomes and results
}

// run makes every client leave at the rate, or faster if that would take too long, and closes
// each as soon as it is not busy. After the deadline the busy ones are left.
func (s *shedding) run(until time.Time) {
	all := s.clients
	rate := max(s.rate, int(float64(len(all))/max(time.Until(until), shedEvery).Seconds())+1)
	tick := time.NewTicker(shedEvery)
	defer tick.Stop()
	start := time.Now()
	for len(s.clients) > 0 || len(s.busy) > 0 && time.Now().Before(until) {
		<-tick.C
		due := min(len(all), int(time.Since(start).Seconds()*float64(rate))+1)
		leaving := all[len(all)-len(s.clients) : due]
		s.clients = all[due:]
		for _, l := range leaving {
			l.client.set(clientLeaving)
		}
		s.busy = slices.DeleteFunc(append(s.busy, leaving...), leavingClient.close)
	}
}

// leavingClient is a client that is to be closed.
type leavingClient struct {
	conn   engine.Conn
	client *client
}

// close closes the client unless a command of it has no outcome or an awaited result is
// outstanding, and reports whether it is closed. A client that has left by itself is.
func (l leavingClient) close() bool {
	if !l.client.HasLeft() && (l.client.commands.Load() > 0 || l.client.results.Load() > 0) {
		return false
	}
	l.client.goAway(l.conn)
	return true
}

func (c *client) goAway(conn engine.Conn) { conn.Close(goingAway, goingAwayReason) }

// shutdown closes the remaining clients, and stops the engine and the hub.
func (b *Bridge) shutdown(ctx context.Context) error {
	b.stopOnce.Do(func() {
		close(b.stopping)
		b.endRunning()
	})
	err := b.engine.Shutdown(ctx, goingAwayReason)
	if ctx.Err() != nil {
		b.log.Warn("some clients did not close in time")
		err = nil
	}
	b.sequence.Close()
	b.problems.Close()
	b.hub.Close()
	return err
}
