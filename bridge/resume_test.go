package bridge_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// soakTime is how long clients come and go: SOAK=60s is a long one.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("SOAK")
	if text == "" {
		return 4 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// resumingClient is a client that comes, goes and resumes, and its record over all its
// connections.
type resumingClient struct {
	epoch string
	seq   uint64 // the highest that it had
	heard []int
}

// visit is one connection. It lasts until the given time, and until the client has received what it
// asked for. It fails if anything else comes.
func (w *resumingClient) visit(ctx context.Context, addr string, until time.Time, byRequest bool) error {
	target, resuming := "/", w.epoch != ""
	if resuming && !byRequest {
		target = fmt.Sprintf("/?since=%s:%d", w.epoch, w.seq)
	}
	conn, err := testkit.OpenWebSocket(ctx, ws.Dialer{Protocols: []string{bridge.Subprotocol}}, "ws://"+addr+target)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
	if resuming && byRequest {
		request := fmt.Sprintf(`{"op": "subscribe", "since": {"epoch": %q, "seq": %d}}`, w.epoch, w.seq)
		if err := wsutil.WriteClientText(conn, []byte(request)); err != nil {
			return err
		}
	}
	// The replies that a request brings come after those since the hello: the client may
	// disconnect once it has everything up to the number in the answer.
	waiting, upTo := resuming, uint64(0)
	for {
		text, err := wsutil.ReadServerText(conn)
		if err != nil {
			return err
		}
		m, err := parse(text)
		if err != nil {
			return err
		}
		switch {
		case m["op"] == "hello":
			w.epoch = fmt.Sprint(m["epoch"])
			if !resuming {
				w.seq = m.seq()
			}
		case m["op"] == "ok":
			if m["resumed"] != true {
				return fmt.Errorf("cannot resume: %s", text)
			}
			waiting, upTo = false, m.seq()
		case m["op"] == nil:
			w.heard = append(w.heard, m.number())
			w.seq = max(w.seq, m.seq())
		}
		if !waiting && w.seq >= upTo && time.Now().After(until) && len(w.heard) > 0 && w.complete() {
			return nil
		}
	}
}

// complete reports whether nothing is missing in the middle of the record.
func (w *resumingClient) complete() bool {
	return len(w.heard) == slices.Max(w.heard)-slices.Min(w.heard)+1
}

func TestTheRecordsOfClientsThatComeAndGoHaveNoHolesAndNoDoubles(t *testing.T) {
	t.Parallel()
	const clients = 200
	url := embeddedBroker(t)
	b := linked(t, url, func(c *bridge.Config) { c.History.Replies = 100_000 })
	s := testkit.StartSource(t, url, 200)
	ctx, cancel := context.WithTimeout(t.Context(), soakTime(t))
	defer cancel()
	var all sync.WaitGroup
	records := make([]resumingClient, clients)
	visits := make([]int, clients)
	for i := range records {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		all.Go(func() {
			for ctx.Err() == nil {
				until := time.Now().Add(rand.N(time.Second))
				if err := records[i].visit(context.WithoutCancel(ctx), b.addr, until, random.IntN(2) == 0); err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
				visits[i]++
				pause := time.NewTimer(rand.N(500 * time.Millisecond))
				select {
				case <-pause.C:
				case <-ctx.Done():
				}
			}
		})
	}
	all.Wait()
	s.Stop()
	total, replies := 0, 0
	for i, w := range records {
		slices.Sort(w.heard)
		for k := 1; k < len(w.heard); k++ {
			if w.heard[k] != w.heard[k-1]+1 {
				t.Errorf("client %d: reply %d is followed by %d", i, w.heard[k-1], w.heard[k])
				break
			}
		}
		total += visits[i]
		replies += len(w.heard)
	}
	t.Logf("%d connections of %d clients heard %d replies of %d", total, clients, replies, s.Sent())
}
