package bench

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/clu-ws/clu-ws/actor"
)

const (
	// crowding is the number of neighbours that ask at the same time.
	crowding = 8
	// resumable is how many replies a bridge keeps by default.
	resumable = 10_000
	// snapshotsInFlight is how many unanswered snapshots each of them has.
	snapshotsInFlight = 32
)

// tellResumable publishes as many replies as a bridge keeps.
func (t *testbed) tellResumable(ctx context.Context) error {
	if err := t.tell(ctx, t.fewer(resumable), func(i int) actor.Reply {
		return actor.Reply{Code: actor.Info, Sender: senderOf(i % 100), Body: []byte(`{"position":12.3456}`)}
	}); err != nil {
		return err
	}
	return t.settle(ctx)
}

// resumeAndGo has neighbours connect, ask for all replies in their URL, and disconnect
// at once, again and again. A refused neighbour tries again.
func (t *testbed) resumeAndGo(ctx context.Context) error {
	epoch, err := t.epoch(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, t.size.Storm)
	defer cancel()
	var coming sync.WaitGroup
	for range crowding {
		coming.Go(func() {
			for ctx.Err() == nil {
				if n, err := dialNeighbour(ctx, t.server, manner{path: "/?since=" + epoch + ":0"}); err == nil {
					n.hangUp()
				}
			}
		})
	}
	coming.Wait()
	return nil
}

// epoch is the epoch of the bridge's replies.
func (t *testbed) epoch(ctx context.Context) (epoch string, err error) {
	err = t.neighbours(ctx, 1, manner{path: "/?silent=1"}, func(_ int, n *neighbour) error {
		epoch, err = n.hearEpoch()
		return err
	})
	return epoch, err
}

// hangUp resets the connection, so that its port is free at once.
func (n *neighbour) hangUp() {
	if tcp, ok := n.conn.(*net.TCPConn); ok {
		// If this fails, the port is free a minute later.
		_ = tcp.SetLinger(0)
	}
	n.close()
}

// askTogether has neighbours ask for snapshots again and again, no two alike.
func (t *testbed) askTogether(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.size.Storm)
	defer cancel()
	return t.neighbours(ctx, crowding, manner{path: "/?silent=1"}, func(client int, n *neighbour) error {
		ask := func(i int) error {
			return n.write(snapshotFrame(map[string]any{"keyword": keywordPatterns(fmt.Sprintf("%d.%d", client, i))}))
		}
		for i := range snapshotsInFlight {
			if err := ask(i); err != nil {
				return err
			}
		}
		for i := snapshotsInFlight; ctx.Err() == nil; i++ {
			if _, err := n.hearOp("snapshot"); err != nil {
				return err
			}
			if err := ask(i); err != nil {
				return err
			}
		}
		return nil
	})
}
