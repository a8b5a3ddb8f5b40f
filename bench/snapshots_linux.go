package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/gobwas/ws"
)

// Many clients ask for everything at the same moment, while others hear a stream of
// replies, which must not be late for that.

// snapshotGoal is by how much the latest reply may come later than it does without
// anybody asking, in milliseconds.
const snapshotGoal = 50

// What actors have said before: knownActors of them, with knownKeywords each.
const (
	knownActors   = 100
	knownKeywords = 50
)

// snapshots measures how late replies are while many clients get a snapshot.
func (b *bench) snapshots(ctx context.Context) ([]Row, error) {
	s := b.size
	server, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	// On a thread of their own: what the askers read must not keep the ears from reading.
	ears, err := newClientLoop()
	if err != nil {
		return nil, err
	}
	defer ears.close()
	ears.start = b.loop.start
	// A plain client and one of v1.
	hearing := newClientSet(ears, dialer{to: server.addr, paths: []string{"/", "/?sender=" + defaultSender}, host: server.addr.String()})
	if _, err := hearing.connect(ctx, 2); err != nil {
		return nil, err
	}
	defer hearing.disconnect()
	if err := hearing.awaitUnnumbered(ctx, 2); err != nil {
		return nil, err
	}
	if err := server.source.(viaBroker).publishKnown(ctx); err != nil {
		return nil, err
	}
	if err := hearing.awaitUnnumbered(ctx, 2+knownActors); err != nil { // the plain one hears them
		return nil, err
	}
	b.progress.begin("snapshots", fmt.Sprintf("connecting %d clients", s.SnapshotClients), connectTime(s.SnapshotClients))
	asking, err := b.subscribed(ctx, server, s.SnapshotClients, []string{"/?sender=nobody"}, "snapshots", "who will ask")
	if err != nil {
		return nil, err
	}
	defer asking.disconnect()
	r := round{count: s.SnapshotReplies, every: s.SnapshotEvery, timed: true}
	if _, err := b.runRound(ctx, server, hearing, r.warmUp()); err != nil {
		return nil, err
	}
	var with, without, took, bytes []float64
	err = alternate(s.Rounds, func() error {
		b.progress.begin("snapshots", "nobody asks", r.seconds())
		p, err := b.runRound(ctx, server, hearing, r)
		if err == nil {
			without = append(without, float64(percentile(p.Latency, 100))/1e6)
		}
		return err
	}, func() error {
		b.progress.begin("snapshots", fmt.Sprintf("%d ask", s.SnapshotClients), r.seconds())
		asked := make(chan error, 1)
		go func() {
			time.Sleep(time.Duration(r.count) * r.every / 4)
			start, before := time.Now(), asking.counts().bytes
			err := asking.requestSnapshots(ctx)
			took = append(took, float64(time.Since(start))/1e6)
			bytes = append(bytes, float64(asking.counts().bytes-before)/float64(s.SnapshotClients)/1024)
			asked <- err
		}()
		p, err := b.runRound(ctx, server, hearing, r)
		if askErr := <-asked; err == nil {
			err = askErr
		}
		if err == nil {
			with = append(with, float64(percentile(p.Latency, 100))/1e6)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("latest reply, %.0f/s, while %s clients get a snapshot", 1/r.every.Seconds(), grouped(s.SnapshotClients))
	line := row("snapshots", what, "ms", with, "nobody asks", without, limit{by: Difference, bound: snapshotGoal})
	line.Note = fmt.Sprintf("all had their snapshots, of %.0f KiB each, within %s", median(bytes), figure(median(took), "ms"))
	return []Row{line}, nil
}

func snapshotsSeconds(s Sizes) float64 {
	r := round{count: s.SnapshotReplies, every: s.SnapshotEvery}
	return connectTime(s.SnapshotClients) + float64(2*s.Rounds)*r.seconds()
}

// publishKnown publishes what the snapshots hold.
func (v viaBroker) publishKnown(ctx context.Context) error {
	for a := range knownActors {
		key, message := reply(firstNumber, senderOf(a))
		message.Body = []byte("{")
		for k := range knownKeywords {
			if k > 0 {
				message.Body = append(message.Body, ',')
			}
			message.Body = fmt.Appendf(message.Body, `"keyword%02d":%d`, k, 1000*a+k)
		}
		message.Body = append(message.Body, '}')
		if err := v.channel.PublishWithContext(ctx, v.exchange, key, false, false, message); err != nil {
			return fmt.Errorf("cannot publish: %w", err)
		}
	}
	return nil
}

// requestSnapshots has every client ask for a snapshot, and waits until all have theirs.
func (set *clientSet) requestSnapshots(ctx context.Context) error {
	var want int
	set.loop.call(func() {
		want = set.checker.unnumbered + 2*len(set.clients) // a snapshot comes in two fragments
		for _, c := range set.clients {
			c.send(ws.OpText, []byte(`{"op": "snapshot", "id": "s"}`))
		}
	})
	return set.awaitUnnumbered(ctx, want)
}
