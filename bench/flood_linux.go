package bench

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/clu-ws/clu-ws/actor"
)

const (
	// floodClients is the number of neighbours that send requests at the same time.
	floodClients = 8
	// resumable is how many replies a bridge keeps by default.
	resumable = 10_000
	// snapshotsInFlight is how many snapshots each of them waits for.
	snapshotsInFlight = 32
)

// publishHistory publishes as many replies as a bridge keeps.
func (t *testbed) publishHistory(ctx context.Context) error {
	if err := t.publish(ctx, t.scaled(resumable), func(i int) actor.Reply {
		return actor.Reply{Code: actor.Info, Sender: senderOf(i % 100), Body: []byte(`{"position":12.3456}`)}
	}); err != nil {
		return err
	}
	return t.awaitDelivered(ctx)
}

// floodResumes has neighbours connect with a URL that resumes all replies, and disconnect at once, again and again. A
// refused neighbour tries again.
func (t *testbed) floodResumes(ctx context.Context) error {
	epoch, err := t.epoch(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, t.size.DisturbFor)
	defer cancel()
	var coming sync.WaitGroup
	for range floodClients {
		coming.Go(func() {
			for ctx.Err() == nil {
				if n, err := dialNeighbour(ctx, t.server, dialOptions{path: "/?since=" + epoch + ":0"}); err == nil {
					n.disconnect()
				}
			}
		})
	}
	coming.Wait()
	return nil
}

// epoch returns the epoch of the bridge's replies.
func (t *testbed) epoch(ctx context.Context) (epoch string, err error) {
	err = t.neighbours(ctx, 1, dialOptions{path: "/?silent=1"}, func(_ int, n *neighbour) error {
		epoch, err = n.readEpoch()
		return err
	})
	return epoch, err
}

// disconnect resets the connection, which frees its port at once.
func (n *neighbour) disconnect() {
	if tcp, ok := n.conn.(*net.TCPConn); ok {
		// Without it, the port is free a minute later.
		_ = tcp.SetLinger(0)
	}
	n.close()
}

// floodSnapshots has neighbours request snapshots again and again, no two of them alike.
func (t *testbed) floodSnapshots(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.size.DisturbFor)
	defer cancel()
	return t.neighbours(ctx, floodClients, dialOptions{path: "/?silent=1"}, func(client int, n *neighbour) error {
		request := func(i int) error {
			return n.write(snapshotFrame(map[string]any{"keyword": keywordPatterns(fmt.Sprintf("%d.%d", client, i))}))
		}
		for i := range snapshotsInFlight {
			if err := request(i); err != nil {
				return err
			}
		}
		for i := snapshotsInFlight; ctx.Err() == nil; i++ {
			if _, err := n.readOp("snapshot"); err != nil {
				return err
			}
			if err := request(i); err != nil {
				return err
			}
		}
		return nil
	})
}
