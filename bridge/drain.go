package bridge

import (
	"context"
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// Going away.
const (
	// farewell is for the clients' close handshakes and the end of the link, of the
	// time that draining may take; of a short time it is a quarter.
	farewell = 8 * time.Second
	// linkFarewell is the link's share of it: the last confirms, and its close.
	linkFarewell = 3 * time.Second
	// shedEvery is how often some clients are shed.
	shedEvery = 10 * time.Millisecond

	goingAway      = 1001
	goingAwayWords = "the bridge is stopping; connect again"
)

// Drain says how a bridge ends.
type Drain struct {
	// ShedRate is how many clients are closed a second; more, if the time is short.
	// 0 is 500.
	ShedRate int
	// Timeout is how long it may take in all. 0 is 30 s.
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

// leaver is a client that is to be closed.
type leaver struct {
	conn   engine.Conn
	client *client
}

// drain ends the service: it is not ready any more, takes nobody in, and closes
// the clients at a steady rate, so that they do not all come to the next bridge
// at the same moment. Until then a client is served as ever; it is closed when its
// commands have their outcomes.
func (b *Bridge) drain() error {
	b.draining.Store(true)
	limits := b.cfg.Drain
	end := time.Now().Add(limits.Timeout)
	closing := min(farewell, limits.Timeout/4)
	b.engine.StopListening()
	var clients []leaver
	b.engine.Each(func(conn engine.Conn, v any) { clients = append(clients, leaver{conn, v.(*client)}) })
	b.log.Info("stopping", "clients", len(clients))
	shed(clients, limits.ShedRate, time.Until(end)-closing)
	awaitOutcomes(clients, end.Add(-closing))
	ctx, cancel := context.WithDeadline(context.Background(), end.Add(-closing*linkFarewell/farewell))
	defer cancel()
	return b.shutdown(ctx)
}

// shed closes the clients at a rate, within a time.
func shed(clients []leaver, rate int, within time.Duration) {
	rate = max(rate, int(float64(len(clients))/max(within, shedEvery).Seconds())+1)
	tick := time.NewTicker(shedEvery)
	defer tick.Stop()
	start, done := time.Now(), 0
	for done < len(clients) {
		<-tick.C
		due := min(len(clients), int(time.Since(start).Seconds()*float64(rate))+1)
		for ; done < due; done++ {
			clients[done].leave()
		}
	}
}

// awaitOutcomes waits until no client has a command without an outcome, which takes
// as long as the link lets a command be, or until a moment.
func awaitOutcomes(clients []leaver, until time.Time) {
	tick := time.NewTicker(shedEvery)
	defer tick.Stop()
	for time.Now().Before(until) && slices.ContainsFunc(clients, leaver.commands) {
		<-tick.C
	}
}

// commands tells whether the client has a command without an outcome.
func (l leaver) commands() bool { return l.client.commands.Load() > 0 }

// leave closes the client, now or with the outcome of its last command.
func (l leaver) leave() {
	l.client.set(clientLeaving)
	if !l.commands() {
		l.client.goAway(l.conn)
	}
}

func (c *client) goAway(conn engine.Conn) { conn.Close(goingAway, goingAwayWords) }

// shutdown says goodbye to the clients that are left.
func (b *Bridge) shutdown(ctx context.Context) error {
	b.stop.Do(func() {
		close(b.stopping)
		b.endSources()
	})
	err := b.engine.Shutdown(ctx, goingAwayWords)
	if ctx.Err() != nil {
		b.log.Warn("some clients did not say goodbye in time")
		err = nil
	}
	b.desk.close()
	return err
}
