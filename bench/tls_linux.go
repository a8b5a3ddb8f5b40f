package bench

import (
	"context"
	"fmt"
	"os"
	"time"
)

// tlsIdleBytes is the goal for the memory of an idle TLS client.
const tlsIdleBytes = 9 << 10

// tlsPair starts a bridge and a baseline, both over TLS.
func (b *bench) tlsPair(ctx context.Context, folder string, coalesced bool) (server, baseline *target, err error) {
	cert, key, err := selfSigned(folder)
	if err != nil {
		return nil, nil, err
	}
	if server, err = b.serverAt(ctx, b.brokerURL, "--tls-cert", cert, "--tls-key", key); err != nil {
		return nil, nil, err
	}
	baseline, err = b.target(ctx, "the baseline over TLS", b.cfg.Program, []string{"bench", "tls-baseline", "--tls-cert", cert, "--tls-key", key})
	if err != nil {
		server.stop()
		return nil, nil, err
	}
	baseline.source = viaPipe{baseline.child, coalesced}
	return server, baseline, nil
}

// withFolder calls do with a folder that is removed afterwards.
func withFolder(do func(folder string) ([]Row, error)) ([]Row, error) {
	folder, err := os.MkdirTemp("", "clu-ws-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	return do(folder)
}

// tlsFan is runPair over TLS.
func (b *bench) tlsFan(ctx context.Context, scenario string, coalesced bool, r round, seconds float64) (f fanout, err error) {
	_, err = withFolder(func(folder string) ([]Row, error) {
		b.progress.begin(scenario, fmt.Sprintf("connecting %d TLS clients, twice", b.size.TLSClients), tlsConnectTime(2*b.size.TLSClients))
		server, baseline, err := b.tlsPair(ctx, folder, coalesced)
		if err != nil {
			return nil, err
		}
		defer server.stop()
		defer baseline.stop()
		f, err = b.runTargets(ctx, scenario, server, baseline, b.size.TLSClients, b.size.Rounds, r, seconds)
		return nil, err
	})
	return f, err
}

// tlsConnectTime is the approximate duration of the handshakes in seconds.
func tlsConnectTime(clients int) float64 { return 0.5 + float64(clients)/1000 }

// tlsSteady measures one reply at a time over TLS.
func (b *bench) tlsSteady(ctx context.Context) ([]Row, error) {
	s := b.size
	r := round{count: s.TLSReplies, every: s.TLSEvery}
	f, err := b.tlsFan(ctx, "tls-steady", false, r, r.seconds())
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("CPU per delivery over TLS, %.0f/s, %s clients", 1/s.TLSEvery.Seconds(), grouped(s.TLSClients))
	return []Row{row("tls-steady", what, "us", of(f.server, (*roundResult).perDelivery), "loop of tls.Conn.Write", of(f.baseline, (*roundResult).perDelivery),
		limit{by: Ratio, bound: 1.10})}, nil
}

func tlsSteadySeconds(s Sizes) float64 {
	r := round{count: s.TLSReplies, every: s.TLSEvery}
	return tlsConnectTime(2*s.TLSClients) + float64(2+2*s.Rounds)*r.seconds()
}

// tlsBurst measures many replies at once over TLS.
func (b *bench) tlsBurst(ctx context.Context) ([]Row, error) {
	s := b.size
	r := round{count: min(relayBurst, s.BurstReplies)}
	f, err := b.tlsFan(ctx, "tls-burst", true, r, tlsBurstTime(s))
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("CPU per delivery over TLS, burst of %s, %s clients", grouped(r.count), grouped(s.TLSClients))
	return []Row{row("tls-burst", what, "us", of(f.server, (*roundResult).perDelivery), fmt.Sprintf("tls.Conn.Write of %d", coalesceFrames),
		of(f.baseline, (*roundResult).perDelivery), limit{by: Ratio, bound: 1.2})}, nil
}

func tlsBurstTime(s Sizes) float64 { return 0.3 + 2e-6*relayBurst*float64(s.TLSClients) }

func tlsBurstSeconds(s Sizes) float64 {
	return tlsConnectTime(2*s.TLSClients) + float64(2+2*s.Rounds)*tlsBurstTime(s)
}

// tlsIdle measures how much the memory of a bridge grows with idle TLS clients, and that of a bare program with a tls.Conn
// and a socket for each of them.
func (b *bench) tlsIdle(ctx context.Context) ([]Row, error) {
	return withFolder(func(folder string) ([]Row, error) {
		var with, without []float64
		for range idleRounds(b.size) {
			server, baseline, err := b.tlsPair(ctx, folder, false)
			if err != nil {
				return nil, err
			}
			for _, t := range []*target{baseline, server} {
				b.progress.begin("tls-idle", fmt.Sprintf("%d TLS clients, %d rounds done, %s", b.size.TLSIdle, len(with), t.name), tlsIdleTime(b.size))
				bytes, err := b.tlsIdleOf(ctx, t)
				if err != nil {
					baseline.stop()
					server.stop()
					return nil, err
				}
				if t == baseline {
					without = append(without, bytes)
				} else {
					with = append(with, bytes)
				}
			}
			baseline.stop()
			server.stop()
		}
		what := fmt.Sprintf("memory of an idle TLS client, %s to %s", grouped(b.size.TLSClients), grouped(b.size.TLSIdle))
		return []Row{row("tls-idle", what, "B", with, "tls.Conn and socket", without, limit{by: Value, bound: tlsIdleBytes})}, nil
	})
}

func tlsIdleTime(s Sizes) float64 {
	return 2*s.Settle.Seconds() + tlsConnectTime(s.TLSIdle)
}

func tlsIdleSeconds(s Sizes) float64 { return float64(2*idleRounds(s)) * tlsIdleTime(s) }

// tlsIdleOf returns the bytes of a target for each client.
func (b *bench) tlsIdleOf(ctx context.Context, t *target) (float64, error) {
	s := b.size
	set := newClientSet(b.loop, dialer{to: t.addr, path: "/", host: t.addr.String()})
	defer set.disconnect()
	var rss [2]int64
	for i, n := range []int{s.TLSClients, s.TLSIdle - s.TLSClients} {
		if err := set.connectTLS(ctx, n); err != nil {
			return 0, fmt.Errorf("%s: %w", t.name, err)
		}
		if _, err := b.runRound(ctx, t, set, round{count: 1}); err != nil {
			return 0, err
		}
		select {
		case <-time.After(s.Settle):
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
		var err error
		if rss[i], err = b.proc.rss(t.pid); err != nil {
			return 0, err
		}
	}
	return float64(rss[1]-rss[0]) / float64(s.TLSIdle-s.TLSClients), nil
}
