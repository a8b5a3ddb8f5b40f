package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
)

func limitFlags() []cli.Flag {
	size := func(name, value, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Value: value, EnvVars: env(name), Category: catLimits, Usage: usage}
	}
	return []cli.Flag{
		size("client-backlog", "16MiB", "`BYTES` of replies kept for clients that read slowly"),
		&cli.DurationFlag{Name: "client-lag", Value: 30 * time.Second, EnvVars: env("client-lag"), Category: catLimits, Usage: "longest `TIME` for which replies are kept for clients that read slowly"},
		&cli.StringFlag{Name: "slow", Value: "close", EnvVars: env("slow"), Category: catLimits, Usage: "`ACTION` on a client that falls further behind: close (1008), or skip to the newest replies after a notice"},
		size("max-outbound", "256MiB", "most `BYTES` of responses and snapshots queued for all clients together; beyond that, the client with the most is closed (1008)"),
		size("max-message", "1MiB", "longest message from a client, in `BYTES`"),
		size("max-head", "8KiB", "longest request head, in `BYTES`"),
		&cli.DurationFlag{Name: "head-timeout", Value: 10 * time.Second, EnvVars: env("head-timeout"), Category: catLimits, Usage: "longest `TIME` that a request head may take to arrive"},
		&cli.IntFlag{Name: "message-rate", Value: 200, EnvVars: env("message-rate"), Category: catLimits, Usage: "`MESSAGES` per second from one client; ten seconds' worth in a burst"},
		&cli.IntFlag{Name: "max-clients", EnvVars: env("max-clients"), Category: catLimits, DefaultText: "what the limit on open files allows", Usage: "most `CONNECTIONS` of clients"},
		&cli.IntFlag{Name: "max-per-address", EnvVars: env("max-per-address"), Category: catLimits, DefaultText: "no limit", Usage: "most `CONNECTIONS` from one address, except those from this machine"},
		&cli.DurationFlag{Name: "ping-after", Value: 20 * time.Second, EnvVars: env("ping-after"), Category: catLimits, Usage: "`TIME` without a reply to a client after which it is pinged; up to 2.25 times that"},
		&cli.DurationFlag{Name: "pong-timeout", Value: 20 * time.Second, EnvVars: env("pong-timeout"), Category: catLimits, Usage: "longest `TIME` that a client may take to answer a ping"},
	}
}

// readLimits reads the flags of limits into a bridge's configuration. The error has all that are
// wrong, always in the same order.
func readLimits(c *cli.Context, cfg *bridge.Config) (err error) {
	l := &cfg.Limits
	var all []error
	for _, size := range []struct {
		flag string
		to   *int
	}{
		{"client-backlog", &l.LogBytes}, {"max-outbound", &l.MaxOutbound}, {"max-message", &l.MaxMessage}, {"max-head", &l.MaxHead},
	} {
		*size.to, err = byteSize(c, size.flag)
		all = append(all, err)
	}
	for _, count := range []struct {
		flag string
		to   *int
	}{
		{"message-rate", &l.MessageRate}, {"max-clients", &l.MaxConnections}, {"max-per-address", &l.MaxPerAddress},
	} {
		n := c.Int(count.flag)
		if n < 0 || n == 0 && c.IsSet(count.flag) {
			all = append(all, fmt.Errorf("--%s %d must be at least 1", count.flag, n))
			continue // the engine would refuse it in words of its own
		}
		*count.to = n
	}
	for _, duration := range []struct {
		flag string
		to   *time.Duration
	}{
		{"client-lag", &l.LogAge}, {"head-timeout", &l.HeadTimeout}, {"ping-after", &l.PingAfter}, {"pong-timeout", &l.PongTimeout},
	} {
		*duration.to, err = atLeast(c, duration.flag, minDuration)
		all = append(all, err)
	}
	switch c.String("slow") {
	case "close":
	case "skip":
		cfg.SkipSlow = true
	default:
		all = append(all, fmt.Errorf("--slow %q is not understood; choose close or skip", c.String("slow")))
	}
	return errors.Join(all...)
}
