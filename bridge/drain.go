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

// Drain configures how a bridge stops.
type Drain struct {
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
}

// leavingClient is a client that is to be closed.
type leavingClient struct {
	conn   engine.Conn
	client *client
}

// drain stops the service: the bridge is no longer ready, accepts no clients, and closes its
// clients at a steady rate, so that they do not all reconnect at the same moment. Each is served
// until it is closed, which waits for the outcomes of its commands.
func (b *Bridge) drain() error {
	b.draining.Store(true)
	limits := *b.drainAs.Load()
	end := time.Now().Add(limits.Timeout)
	closing := min(closeGrace, limits.Timeout/4)
	b.engine.StopListening()
	var clients []leavingClient
	b.engine.Each(func(conn engine.Conn, v any) { clients = append(clients, leavingClient{conn, v.(*client)}) })
	b.log.Info("stopping", "clients", len(clients))
	shed(clients, limits.ShedRate, time.Until(end)-closing)
	awaitOutcomes(clients, end.Add(-closing))
	ctx, cancel := context.WithDeadline(context.Background(), end.Add(-closing*linkCloseGrace/closeGrace))
	defer cancel()
	return b.shutdown(ctx)
}

// shed closes the clients at the given rate, or faster if that would take too long.
func shed(clients []leavingClient, rate int, within time.Duration) {
	rate = max(rate, int(float64(len(clients))/max(within, shedEvery).Seconds())+1)
	tick := time.NewTicker(shedEvery)
	defer tick.Stop()
	start, done := time.Now(), 0
	for done < len(clients) {
		<-tick.C
		due := min(len(clients), int(time.Since(start).Seconds()*float64(rate))+1)
		for ; done < due; done++ {
			clients[done].close()
		}
	}
}

// awaitOutcomes waits until every command of the clients has its outcome, or until the
// deadline. The link bounds how long an outcome takes.
func awaitOutcomes(clients []leavingClient, until time.Time) {
	tick := time.NewTicker(shedEvery)
	defer tick.Stop()
	for time.Now().Before(until) && slices.ContainsFunc(clients, leavingClient.busy) {
		<-tick.C
	}
}

// busy reports whether the client has a command without an outcome.
func (l leavingClient) busy() bool { return l.client.commands.Load() > 0 }

// close closes the client, now or when its last command has its outcome.
func (l leavingClient) close() {
	l.client.set(clientLeaving)
	if !l.busy() {
		l.client.goAway(l.conn)
	}
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
