package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
)

// testbed is a bridge with probes and neighbours.
type testbed struct {
	*bench
	server    *target
	probes    *probes
	admin     string // the Unix socket of the admin server
	published uint64 // replies published

	mu           sync.Mutex // guards the following field
	disconnected int        // neighbours that the bridge disconnected
}

// newTestbed starts a bridge with these flags.
func (b *bench) newTestbed(ctx context.Context, folder string, secure bool, flags ...string) (*testbed, error) {
	t := &testbed{bench: b, admin: filepath.Join(folder, "admin")}
	flags = append(slices.Clone(flags), "--admin", "unix:"+t.admin)
	if secure {
		cert, key, err := selfSigned(folder)
		if err != nil {
			return nil, err
		}
		flags = append(flags, "--tls-cert", cert, "--tls-key", key)
	}
	var err error
	t.server, err = b.serverAt(ctx, b.brokerURL, flags...)
	return t, err
}

func (t *testbed) stop() {
	if t.probes != nil {
		t.probes.close()
	}
	t.server.stop()
}

// scaled divides a full-size number for this run.
func (t *testbed) scaled(n int) int { return max(1, n/t.size.NeighbourDivisor) }

// publish publishes replies as an actor does.
func (t *testbed) publish(ctx context.Context, count int, say func(i int) actor.Reply) error {
	p := t.server.source.(viaBroker)
	for i := range count {
		m := say(i).Message()
		if err := p.channel.PublishWithContext(ctx, p.exchange, m.Key, false, false, m.Publishing); err != nil {
			return fmt.Errorf("cannot publish: %w", err)
		}
		t.published++
	}
	return nil
}

// awaitDelivered waits until the bridge has delivered all published replies to another client.
func (t *testbed) awaitDelivered(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the bridge does not have all replies within %v", patience))
	defer cancel()
	p, err := dialPinger(ctx, t.server, false)
	if err != nil {
		return err
	}
	defer p.close()
	defer context.AfterFunc(ctx, p.close)()
	for p.seq < t.published {
		if _, err := p.ping(); err != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		time.Sleep(pingEvery)
	}
	return nil
}

// neighbours connects neighbours, calls do for all of them at the same time, and waits until it has returned. Their
// connections stay open until the end of the context, because queued answers may be the disturbance. It is no error if
// the bridge disconnects one, which may be the right reaction.
func (t *testbed) neighbours(ctx context.Context, count int, how dialOptions, do func(i int, n *neighbour) error) error {
	failed := make([]error, count)
	var doing sync.WaitGroup
	for i := range count {
		n, err := dialNeighbour(ctx, t.server, how)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, n.close)
		doing.Go(func() { failed[i] = do(i, n) })
	}
	doing.Wait()
	for i, err := range failed {
		if errors.Is(err, errDisconnected) && ctx.Err() == nil {
			t.mu.Lock()
			t.disconnected++
			t.mu.Unlock()
		}
		if errors.Is(err, errDisconnected) || ctx.Err() != nil {
			failed[i] = nil
		}
	}
	return errors.Join(failed...)
}
