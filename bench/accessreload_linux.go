package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// The configuration is changed and read again while many clients are connected, and replies go to each of their groups.
// The grants of every second role change, of which its clients are told; they go on with their streams, as all others do.

// The goals for the time until all are told, and for the latest reply meanwhile, in milliseconds.
const (
	reloadGoal      = 1000
	reloadDelayGoal = 50
)

// reload measures a changed configuration.
func (b *bench) reload(ctx context.Context) ([]Row, error) {
	folder, err := os.MkdirTemp("", "clu-ws-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := newAccessFile(folder, b.size.Groups)
	if err := file.write(noRole); err != nil {
		return nil, err
	}
	server, err := b.serverAt(ctx, b.brokerURL, "--config", file.path)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	n := uint64(b.size.Groups)
	server.source.(viaBroker).sender = func(number uint64) string { return senderOf(int(number % n)) }
	set, err := b.greeted(ctx, server, b.size.GroupClients, dialer{path: "/", headers: file.headers(true)}, 1, "access-reload", "by grant")
	if err != nil {
		return nil, err
	}
	defer set.disconnect()
	set.setSubsets(func(i int) subset { return subset{modulus: n, remainder: uint64(i) % n} })
	var took, worst, alone []float64
	told, changing := b.size.GroupClients, 0
	for i := range b.size.GroupClients {
		if changes(i % b.size.Groups) {
			changing++
		}
	}
	for i := range b.size.Rounds {
		b.progress.begin("access-reload", fmt.Sprintf("%d rounds done", i), b.size.reloadSeconds())
		told += changing
		s, err := b.stream(ctx, server, set, round{count: b.size.ReloadReplies, every: b.size.ReloadEvery}, func(ctx context.Context) error {
			if err := file.write(func(role int) bool { return changes(role) && i%2 == 0 }); err != nil {
				return err
			}
			if err := syscall.Kill(server.pid, syscall.SIGHUP); err != nil {
				return err
			}
			return set.awaitUnnumbered(ctx, told)
		})
		if err != nil {
			return nil, err
		}
		took = append(took, float64(s.took)/float64(time.Millisecond))
		worst, alone = append(worst, slices.Max(s.beside)), append(alone, slices.Max(s.alone))
	}
	what := fmt.Sprintf("reload with %s clients, ", grouped(b.size.GroupClients))
	return []Row{
		row("access-reload", what+"until those whose grants change are told", "ms", took, "", nil, limit{by: Value, bound: reloadGoal}),
		row("access-reload", what+"latest reply meanwhile", "ms", worst, "just before", alone, limit{by: Value, bound: reloadDelayGoal}),
	}, nil
}

// changes reports whether a role changes at each reload.
func changes(role int) bool { return role%2 == 0 }

func (s Sizes) reloadSeconds() float64 {
	return 0.5 + (time.Duration(s.ReloadReplies) * s.ReloadEvery).Seconds()
}

func reloadSeconds(s Sizes) float64 {
	return connectTime(s.GroupClients) + float64(s.Rounds)*s.reloadSeconds()
}
