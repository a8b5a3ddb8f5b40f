package bench

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Many clients connect at the same moment, as after a restart, while a stream of replies goes to a few others. Each shows a
// JSON Web Token of its own, signed with RS256. The reference is the same without tokens. The clients of the storm hear
// none of the replies.

// The goals for the time until all clients are connected, and for the p99 of the stream meanwhile, in milliseconds.
const (
	stormGoal  = 2000
	streamGoal = 20
)

// storm measures clients that connect at once.
func (b *bench) storm(ctx context.Context) ([]Row, error) {
	folder, err := os.MkdirTemp("", "clu-ws-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := newAccessFile(folder, 2)
	if file.issuer, err = newIssuer(); err != nil {
		return nil, err
	}
	defer file.issuer.close()
	var tokens []string
	for i := range b.size.StormClients {
		token, err := file.issuer.token(fmt.Sprintf("observer%04d", i))
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, bearer(token, true))
	}
	if err := file.write(noRole); err != nil {
		return nil, err
	}
	server, err := b.serverAt(ctx, b.brokerURL, "--config", file.path)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	server.source.(viaBroker).sender = func(uint64) string { return senderOf(1) }
	listeners, err := b.greeted(ctx, server, b.size.LatencyClients, dialer{path: "/", headers: file.headers(false)[1:]}, 0, "access-jwt-storm", "who listen")
	if err != nil {
		return nil, err
	}
	defer listeners.disconnect()
	var with, without stormRounds
	round := func(name string, headers []string, into *stormRounds) func() error {
		return func() error {
			b.progress.begin("access-jwt-storm", fmt.Sprintf("%d rounds done, %s", len(into.took), name), b.size.stormSeconds())
			return b.stormRound(ctx, server, listeners, headers, into)
		}
	}
	noTokens := []string{"Sec-WebSocket-Protocol: clu-ws.v1\r\n"}
	if err := alternate(b.size.Rounds, round("without tokens", noTokens, &without), round("with tokens", tokens, &with)); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("%s clients with JWTs connect at once, ", grouped(b.size.StormClients))
	rows := []Row{
		row("access-jwt-storm", what+"until all are in", "ms", with.took, "without tokens", without.took, limit{by: Value, bound: stormGoal}),
		row("access-jwt-storm", what+"p99 of a stream meanwhile", "ms", with.p99, "without tokens", without.p99, limit{by: Value, bound: streamGoal}),
	}
	rows[1].Note = fmt.Sprintf("just before, the p99 of the stream is %s", figure(median(with.alone), "ms"))
	return rows, nil
}

// stormRounds has, for each round, the time until all are connected and the p99 of the stream meanwhile and before, all in
// milliseconds.
type stormRounds struct{ took, p99, alone []float64 }

// stormRound connects all clients at once during a stream, and disconnects them.
func (b *bench) stormRound(ctx context.Context, server *target, listeners *clientSet, headers []string, into *stormRounds) error {
	// The listeners' thread must not be busy with connecting others.
	loop, err := newClientLoop()
	if err != nil {
		return err
	}
	defer loop.close()
	n := b.size.StormClients
	set := newClientSet(loop, dialer{to: server.addr, host: server.addr.String(), path: "/", headers: headers, window: n})
	s, err := b.stream(ctx, server, listeners, round{count: b.size.StormReplies, every: b.size.StormEvery}, func(ctx context.Context) error {
		took, err := set.connect(ctx, n)
		into.took = append(into.took, float64(took)/float64(time.Millisecond))
		return err
	})
	if err != nil {
		return err
	}
	into.p99, into.alone = append(into.p99, percentile(s.beside, 99)), append(into.alone, percentile(s.alone, 99))
	set.disconnect()
	return b.atRest(ctx, server)
}

func (s Sizes) stormSeconds() float64 {
	return 0.5 + (time.Duration(s.StormReplies) * s.StormEvery).Seconds()
}

func stormSeconds(s Sizes) float64 { return 1 + float64(2*s.Rounds)*s.stormSeconds() }
