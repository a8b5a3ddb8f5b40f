package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// relayBurst is how many replies are sent at once to a few clients.
const relayBurst = 1000

// viaRelay is a source for the bare consumer that writes.
type viaRelay struct {
	viaPipe
	*publisher
	clock func() int64
}

func (v viaRelay) prepare(_ context.Context, first uint64, count int) error {
	v.publisher.prepare(first, count)
	return nil
}

func (v viaRelay) send(ctx context.Context, every time.Duration, sent []atomic.Int64) error {
	if _, err := fmt.Fprintf(v.stdin, "relay %d\n", len(v.replies)); err != nil {
		return fmt.Errorf("%s: %w; the end of its log:\n%s", v.name, err, v.tail)
	}
	if err := v.publisher.publishAll(ctx, every, sent, v.clock); err != nil {
		return err
	}
	_, err := v.line(ctx)
	return err
}

func (v viaRelay) close() { v.publisher.close() }

// startRelay starts a bare consumer that writes.
func (b *bench) startRelay(ctx context.Context) (*target, error) {
	t, err := b.target(ctx, "the bare consumer that writes", b.cfg.Program, []string{"bench", "relay", b.rabbitURL})
	if err != nil {
		return nil, err
	}
	p, err := newPublisher(b.rabbitURL, bareExchange)
	if err != nil {
		t.stop()
		return nil, err
	}
	t.source = viaRelay{viaPipe{child: t.child}, p, b.loop.clock}
	return t, nil
}

// relayed measures a burst to few clients, where most of the work is AMQP's, against the bare
// consumer that writes.
func (b *bench) relayed(ctx context.Context) ([]Row, error) {
	s := b.size
	b.progress.begin("relay", fmt.Sprintf("connecting %d clients, twice", s.Few), connectTime(2*s.Few))
	server, err := b.serverAt(ctx, b.rabbitURL)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	bare, err := b.startRelay(ctx)
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	r := round{count: min(relayBurst, s.BurstReplies)}
	f, err := b.runTargets(ctx, "relay", server, bare, s.Few, relayRounds(s), r, relayTime(s))
	if err != nil {
		return nil, err
	}
	against := "bare consumer that writes"
	what := fmt.Sprintf("burst of %s on RabbitMQ, %s clients", grouped(r.count), grouped(s.Few))
	return []Row{
		row("relay", "CPU per delivery, "+what, "us", of(f.server, (*roundResult).perDelivery), against, of(f.baseline, (*roundResult).perDelivery),
			limit{by: Ratio, bound: 1.15}),
		row("relay", "deliveries/s, "+what, "/s", of(f.server, (*roundResult).rate), against, of(f.baseline, (*roundResult).rate), limit{by: Informational}),
	}, nil
}

func relayRounds(s Sizes) int { return 4 * s.Rounds }

// relayTime is the approximate duration of a burst in seconds.
func relayTime(s Sizes) float64 { return 0.3 + 60e-6*relayBurst }

func relaySeconds(s Sizes) float64 {
	return connectTime(2*s.Few) + float64(2+2*relayRounds(s))*relayTime(s)
}
