package bench

import (
	"context"
	"fmt"
	"os"
	"time"
)

// secureIdleBytes is how much memory a TLS client may take that does nothing.
const secureIdleBytes = 9 << 10

// securePair starts a bridge and a bare loop, both over TLS.
func (b *bench) securePair(ctx context.Context, folder string, joined bool) (server, floor *target, err error) {
	cert, key, err := selfSigned(folder)
	if err != nil {
		return nil, nil, err
	}
	if server, err = b.serverAt(ctx, b.brokerURL, "--tls-cert", cert, "--tls-key", key); err != nil {
		return nil, nil, err
	}
	floor, err = b.target(ctx, "the bare loop of TLS", b.cfg.Program, []string{"bench", "securefloor", "--tls-cert", cert, "--tls-key", key})
	if err != nil {
		server.stop()
		return nil, nil, err
	}
	floor.source = viaPipe{floor.child, joined}
	return server, floor, nil
}

// withFolder runs do with a folder that is removed afterwards.
func withFolder(do func(folder string) ([]Row, error)) ([]Row, error) {
	folder, err := os.MkdirTemp("", "clu-ws-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	return do(folder)
}

// secureFan is fan over TLS.
func (b *bench) secureFan(ctx context.Context, scenario string, joined bool, r round, seconds float64) (f fanout, err error) {
	_, err = withFolder(func(folder string) ([]Row, error) {
		b.progress.begin(scenario, fmt.Sprintf("connecting %d TLS clients, twice", b.size.Secure), secureConnectTime(2*b.size.Secure))
		server, floor, err := b.securePair(ctx, folder, joined)
		if err != nil {
			return nil, err
		}
		defer server.stop()
		defer floor.stop()
		f, err = b.take(ctx, scenario, server, floor, b.size.Secure, b.size.Rounds, r, seconds)
		return nil, err
	})
	return f, err
}

// secureConnectTime is about how many seconds so many handshakes take.
func secureConnectTime(clients int) float64 { return 0.5 + float64(clients)/1000 }

// secureSteady sends one reply at a time over TLS.
func (b *bench) secureSteady(ctx context.Context) ([]Row, error) {
	s := b.size
	r := round{count: s.SecureReplies, every: s.SecureEvery}
	f, err := b.secureFan(ctx, "tls-steady", false, r, r.seconds())
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("CPU per delivery over TLS, %.0f/s, %s clients", 1/s.SecureEvery.Seconds(), grouped(s.Secure))
	return []Row{row("tls-steady", what, "us", of(f.server, (*played).perDelivery), "loop of tls.Conn.Write", of(f.floor, (*played).perDelivery),
		reach{by: Ratio, bound: 1.10})}, nil
}

func secureSteadySeconds(s Sizes) float64 {
	r := round{count: s.SecureReplies, every: s.SecureEvery}
	return secureConnectTime(2*s.Secure) + float64(2+2*s.Rounds)*r.seconds()
}

// secureBurst sends many replies at once over TLS.
func (b *bench) secureBurst(ctx context.Context) ([]Row, error) {
	s := b.size
	r := round{count: min(relayBurst, s.BurstReplies)}
	f, err := b.secureFan(ctx, "tls-burst", true, r, secureBurstTime(s))
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("CPU per delivery over TLS, burst of %s, %s clients", grouped(r.count), grouped(s.Secure))
	return []Row{row("tls-burst", what, "us", of(f.server, (*played).perDelivery), fmt.Sprintf("tls.Conn.Write of %d", joinFrames),
		of(f.floor, (*played).perDelivery), reach{by: Ratio, bound: 1.2})}, nil
}

func secureBurstTime(s Sizes) float64 { return 0.3 + 2e-6*relayBurst*float64(s.Secure) }

func secureBurstSeconds(s Sizes) float64 {
	return secureConnectTime(2*s.Secure) + float64(2+2*s.Rounds)*secureBurstTime(s)
}

// secureIdle measures by how much the memory of a bridge grows with TLS clients that do
// nothing, and that of a bare program with a tls.Conn and a socket for each of them.
func (b *bench) secureIdle(ctx context.Context) ([]Row, error) {
	return withFolder(func(folder string) ([]Row, error) {
		var with, without []float64
		for range idleRounds(b.size) {
			server, floor, err := b.securePair(ctx, folder, false)
			if err != nil {
				return nil, err
			}
			for _, t := range []*target{floor, server} {
				b.progress.begin("tls-idle", fmt.Sprintf("%d TLS clients, %d rounds done, %s", b.size.SecureIdle, len(with), t.name), secureIdleTime(b.size))
				bytes, err := b.secureIdleOf(ctx, t)
				if err != nil {
					floor.stop()
					server.stop()
					return nil, err
				}
				if t == floor {
					without = append(without, bytes)
				} else {
					with = append(with, bytes)
				}
			}
			floor.stop()
			server.stop()
		}
		what := fmt.Sprintf("memory of an idle TLS client, %s to %s", grouped(b.size.Secure), grouped(b.size.SecureIdle))
		return []Row{row("tls-idle", what, "B", with, "tls.Conn and socket", without, reach{by: Value, bound: secureIdleBytes})}, nil
	})
}

func secureIdleTime(s Sizes) float64 {
	return 2*s.Settle.Seconds() + secureConnectTime(s.SecureIdle)
}

func secureIdleSeconds(s Sizes) float64 { return float64(2*idleRounds(s)) * secureIdleTime(s) }

// secureIdleOf gives the bytes of a target for one client.
func (b *bench) secureIdleOf(ctx context.Context, t *target) (float64, error) {
	s := b.size
	cr := newCrowd(b.swarm, dialer{to: t.addr, path: "/", host: t.addr.String()})
	defer cr.hangUp()
	var rss [2]int64
	for i, n := range []int{s.Secure, s.SecureIdle - s.Secure} {
		if err := cr.connectSecure(ctx, n); err != nil {
			return 0, fmt.Errorf("%s: %w", t.name, err)
		}
		if _, err := b.play(ctx, t, cr, round{count: 1}); err != nil {
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
	return float64(rss[1]-rss[0]) / float64(s.SecureIdle-s.Secure), nil
}
