package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// recorder is a v1 client that records every reply of a [testkit.Source] and every reported gap,
// reconnects when its connection ends, and resumes after the last reply. In a new epoch it starts
// from the first reply, so that it receives all that the bridge has received.
type recorder struct {
	name      string
	recording sync.WaitGroup

	// mu guards the following fields.
	mu       sync.Mutex
	received []int // the numbers of the replies
	toldGaps []toldGap
	highest  int
	epoch    string
	seq      uint64
	ended    error // the end of the last connection
}

// toldGap is what was reported to a client about replies that may be missing.
type toldGap struct {
	behind   int // replies received before it
	from, to time.Time
	newEpoch bool // numbering began anew, or the missed replies are not kept; there is no time span
}

// covers reports whether the gap includes a reply that reached the broker between these moments.
func (g toldGap) covers(sent, confirmed time.Time) bool {
	return !confirmed.Before(g.from) && !sent.After(g.to)
}

// record runs a recorder until the test ends.
func record(t *testing.T, name, url string) *recorder {
	t.Helper()
	r := &recorder{name: name, highest: -1}
	ctx, cancel := context.WithCancel(context.Background())
	r.recording.Go(func() {
		for ctx.Err() == nil {
			err := r.recordConnection(ctx, url)
			r.mu.Lock()
			r.ended = err
			r.mu.Unlock()
		}
	})
	t.Cleanup(func() { cancel(); r.recording.Wait() })
	return r
}

// message has the fields of v1 messages that a recorder reads.
type message struct {
	Op       string
	Epoch    string
	Seq      uint64
	From, To *time.Time
	Resumed  *bool
	Body     struct{ N *int }
}

// recordConnection records one connection to its end.
func (r *recorder) recordConnection(ctx context.Context, url string) error {
	conn, br, err := dialBridge(ctx, v1(), url+"?silent=1")
	if err != nil {
		testkit.PauseBeforeRetry(ctx)
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	rw := buffered{conn, br}
	for {
		text, err := wsutil.ReadServerText(rw)
		if err != nil {
			return err
		}
		var m message
		if err := json.Unmarshal(text, &m); err != nil {
			return fmt.Errorf("%w in %s", err, text)
		}
		if m.Op == "hello" {
			if err := wsutil.WriteClientText(conn, r.resume(m.Epoch)); err != nil {
				return err
			}
			continue
		}
		r.take(m)
	}
}

// resume returns the request that resumes after the last reply.
func (r *recorder) resume(epoch string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if epoch != r.epoch {
		if r.epoch != "" {
			r.toldGaps = append(r.toldGaps, toldGap{behind: len(r.received), newEpoch: true})
		}
		r.epoch, r.seq = epoch, 0
	}
	if r.seq == 0 && len(r.received) == 0 {
		return []byte(`{"op": "subscribe", "id": "all"}`)
	}
	return fmt.Appendf(nil, `{"op": "subscribe", "id": "all", "since": {"epoch": %q, "seq": %d}}`, r.epoch, r.seq)
}

func (r *recorder) take(m message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case m.Op == "gap":
		g := toldGap{behind: len(r.received), to: *m.To}
		if m.From != nil {
			g.from = *m.From
		}
		r.toldGaps = append(r.toldGaps, g)
	case m.Op == "ok" && m.Resumed != nil && !*m.Resumed:
		r.toldGaps = append(r.toldGaps, toldGap{behind: len(r.received), newEpoch: true})
	case m.Op == "" && m.Body.N != nil:
		r.received = append(r.received, *m.Body.N)
		r.highest = max(r.highest, *m.Body.N)
		r.seq = m.Seq
	}
}

// reached returns an error until a number, or a later one, was received.
func (r *recorder) reached(number int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.highest >= number {
		return nil
	}
	return fmt.Errorf("%s is at %d of %d; its last connection: %v", r.name, r.highest, number, cmp.Or(r.ended, errors.New("open")))
}

// next returns the number after the highest that was received.
func (r *recorder) next() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.highest + 1
}

// gaps returns how many gaps were reported so far.
func (r *recorder) gaps() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.toldGaps)
}

// all returns the received replies in their order, and the reported gaps.
func (r *recorder) all() ([]int, []toldGap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.received), slices.Clone(r.toldGaps)
}
