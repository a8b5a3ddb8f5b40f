package bridge

import (
	"context"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/history"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// refill fills the history of keywords from a stream after the bridge has started.
//
//	24 hours ago ────────────── the last --history replies ──────── live
//	   │ a consumer of its own: Past.Note       │ noteValues, before and after hub.Live
//	   └──────────── Past.JoinOne ──────────────┘
//
// Clients are served meanwhile: nothing waits for it, and it takes half of one processor at most.
type refill struct {
	past *history.Past // nil without a stream
	live chan struct{} // closed when the stream's past has been read as far as clients need it

	began time.Time // when live replies began, by the bridge's clock
}

// heard returns when a reply of the past was heard, as far as that is known: when it was sent, but before
// everything that was heard live, even if its sender's clock is ahead.
func (f *refill) heard(sent time.Time) (at time.Time, known bool) {
	switch {
	case sent.IsZero():
		return sent, false
	case sent.After(f.began):
		return f.began, true
	}
	return sent, true
}

// spanOfHistory is how much of a stream is read.
const spanOfHistory = 24 * time.Hour

// refillRetry is how long a refill waits before it goes on after the link broke.
const refillRetry = time.Second

// refillHistory reads the stream's past. It ends with the context.
func (b *Bridge) refillHistory(ctx context.Context) {
	select {
	case <-b.refill.live:
	case <-ctx.Done():
		return
	}
	began, replies, past := time.Now(), 0, b.refill.past
	worked := began
	defer b.problems.StopRecording()
	problems := &pastProblems{tracker: b.problems.Before()}
	read := new(amqpx.StreamPast)
	*read = amqpx.StreamPast{
		Since: began.Add(-spanOfHistory),
		Deliver: func(d *amqpx.Delivery) {
			replies++
			b.notePast(past, problems, read.Offset(), d)
		},
		OnGap: func(g amqpx.Gap) { b.keywordHistory.Gap(g.From, g.To) },
		Pause: func(ctx context.Context) {
			wait(ctx, time.Since(worked))
			worked = time.Now()
		},
	}
	for {
		err := b.link.ReadPast(ctx, read)
		if err == nil {
			break
		}
		b.log.Debug("the stream's past is read on later", "error", err)
		if wait(ctx, refillRetry); ctx.Err() != nil || b.link.Ready(ctx) != nil {
			return
		}
	}
	b.adoptPast(problems)
	for !past.JoinOne() {
		continue // each takes the store's lock for a moment
	}
	b.log.Info("filled the history of keywords from the stream", "replies", replies, "seconds", time.Since(began).Seconds())
}

// notePast keeps what a reply of the stream's past says of its actor's keywords and problems.
func (b *Bridge) notePast(past *history.Past, problems *pastProblems, offset uint64, d *amqpx.Delivery) {
	buf, body, err := b.cfg.Envelope.AppendWithOffset(nil, d)
	if err != nil {
		return // it was counted when it came
	}
	r := newReply(d, buf, body)
	text := buf[body : len(buf)-1]
	heard, known := b.refill.heard(r.Sent)
	problems.note(r, offset, heard, known, text)
	if r.Internal || r.Aside || r.Unroutable || !known {
		return
	}
	past.Note(historyReply(&r.Reply, heard), func(yield func(name, value []byte) bool) {
		for m := jsonscan.MembersOf(text); ; {
			name, value, ok := m.Next()
			if !ok || !yield(name, value) {
				return
			}
		}
	})
}

// wait waits for a time, or for the end of the context.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
