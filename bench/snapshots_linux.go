package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gobwas/ws"
)

// Many clients request everything at the same moment, while others get a stream of replies, which must not be delayed.

// snapshotGoal is the goal for the delay of the latest reply while snapshots are requested, in milliseconds.
const snapshotGoal = 50

// The content of the snapshots: knownActors actors, with knownKeywords each.
const (
	knownActors   = 100
	knownKeywords = 50
)

// snapshots measures the latency of replies while many clients get a snapshot.
func (b *bench) snapshots(ctx context.Context) ([]Row, error) {
	s := b.size
	server, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	receivers, stop, err := b.snapshotReceivers(ctx, server)
	if err != nil {
		return nil, err
	}
	defer stop()
	b.progress.begin("snapshots", fmt.Sprintf("connecting %d clients", s.SnapshotClients), connectTime(s.SnapshotClients))
	requesters, err := b.subscribed(ctx, server, s.SnapshotClients, []string{"/?sender=nobody"}, "snapshots", "for snapshots")
	if err != nil {
		return nil, err
	}
	defer requesters.disconnect()
	r := round{count: s.SnapshotReplies, every: s.SnapshotEvery, timed: true}
	if _, err := b.runRound(ctx, server, receivers, r.warmUp()); err != nil {
		return nil, err
	}
	var with, without, took, kib []float64
	into := func(list *[]float64) error {
		p, err := b.runRound(ctx, server, receivers, r)
		if err == nil {
			*list = append(*list, float64(percentile(p.Latency, 100))/1e6)
		}
		return err
	}
	err = alternate(s.Rounds, func() error {
		b.progress.begin("snapshots", "no requests", r.seconds())
		return into(&without)
	}, func() error {
		b.progress.begin("snapshots", fmt.Sprintf("%d request snapshots", s.SnapshotClients), r.seconds())
		requested := make(chan error, 1)
		go func() {
			time.Sleep(time.Duration(r.count) * r.every / 4)
			start, before := time.Now(), requesters.counts().bytes
			err := requesters.requestSnapshots(ctx)
			took = append(took, float64(time.Since(start))/1e6)
			kib = append(kib, float64(requesters.counts().bytes-before)/float64(s.SnapshotClients)/1024)
			requested <- err
		}()
		return errors.Join(into(&with), <-requested)
	})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("latest reply, %.0f/s, while %s clients get a snapshot", 1/r.every.Seconds(), grouped(s.SnapshotClients))
	line := row("snapshots", what, "ms", with, "no snapshots", without, limit{by: Difference, bound: snapshotGoal})
	line.Note = fmt.Sprintf("all clients had their snapshots, of %.0f KiB each, within %s", median(kib), figure(median(took), "ms"))
	return []Row{line}, nil
}

// snapshotReceivers connects a plain client and one of v1, and publishes the content of the snapshots. The clients have a
// loop of their own: reading snapshots must not delay them.
func (b *bench) snapshotReceivers(ctx context.Context, server *target) (receivers *clientSet, stop func(), err error) {
	loop, err := newClientLoop()
	if err != nil {
		return nil, nil, err
	}
	loop.start = b.loop.start
	receivers = newClientSet(loop, dialer{to: server.addr, paths: []string{"/", "/?sender=" + defaultSender}, host: server.addr.String()})
	stop = func() {
		receivers.disconnect()
		loop.close()
	}
	if _, err = receivers.connect(ctx, 2); err == nil {
		err = receivers.awaitUnnumbered(ctx, 2) // the hello, and the answer to the subscription
	}
	if err == nil {
		err = server.source.(viaBroker).publishKnown(ctx)
	}
	if err == nil {
		err = receivers.awaitUnnumbered(ctx, 2+knownActors) // the plain client gets them
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	return receivers, stop, nil
}

func snapshotsSeconds(s Sizes) float64 {
	r := round{count: s.SnapshotReplies, every: s.SnapshotEvery}
	return connectTime(s.SnapshotClients) + float64(2*s.Rounds)*r.seconds()
}

// publishKnown publishes the content of the snapshots.
func (v viaBroker) publishKnown(ctx context.Context) error {
	for a := range knownActors {
		key, message := reply(firstNumber, senderOf(a), "")
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

// requestSnapshots has every client request a snapshot, and waits until all have theirs.
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
