package main

import (
	"fmt"
	"math"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
)

const catLimits = "What a client may take"

// Defaults and bounds of the flags.
const (
	defaultLag  = 30 * time.Second
	defaultHead = 10 * time.Second
	defaultPing = 20 * time.Second
	minDuration    = time.Second
	minBytes    = 1 << 10
)

func limitFlags() []cli.Flag {
	size := func(name, value, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Value: value, EnvVars: env(name), Category: catLimits, Usage: usage}
	}
	return []cli.Flag{
		size("client-backlog", "16MiB", "`BYTES` of replies kept for clients that read slowly"),
		&cli.DurationFlag{Name: "client-lag", Value: defaultLag, EnvVars: env("client-lag"), Category: catLimits, Usage: "`TIME` for which they are kept"},
		&cli.StringFlag{Name: "slow", Value: "close", EnvVars: env("slow"), Category: catLimits, Usage: "`WHAT` becomes of a client beyond that: close (1008), or skip to what is newest behind a notice"},
		size("max-outbound", "256MiB", "`BYTES` of answers and snapshots queued for all clients together; beyond it the client with the most is closed (1008)"),
		size("max-message", "1MiB", "longest message from a client, in `BYTES`"),
		size("max-head", "8KiB", "longest request head, in `BYTES`"),
		&cli.DurationFlag{Name: "head-timeout", Value: defaultHead, EnvVars: env("head-timeout"), Category: catLimits, Usage: "`TIME` that a request may take to come"},
		&cli.IntFlag{Name: "message-rate", Value: 200, EnvVars: env("message-rate"), Category: catLimits, Usage: "`MESSAGES` a second from one client; ten seconds' worth in a burst"},
		&cli.IntFlag{Name: "max-clients", EnvVars: env("max-clients"), Category: catLimits, DefaultText: "what the limit on open files allows", Usage: "`CONNECTIONS` in all"},
		&cli.IntFlag{Name: "max-per-address", EnvVars: env("max-per-address"), Category: catLimits, DefaultText: "no limit", Usage: "`CONNECTIONS` from one address other than this machine's"},
		&cli.DurationFlag{Name: "ping-after", Value: defaultPing, EnvVars: env("ping-after"), Category: catLimits, Usage: "`TIME` without a reply after which a client is pinged, or up to 2.25 times that"},
		&cli.DurationFlag{Name: "pong-timeout", Value: defaultPing, EnvVars: env("pong-timeout"), Category: catLimits, Usage: "`TIME` that it may take to answer"},
	}
}

// readLimits reads the flags of limits into a bridge's configuration.
func readLimits(c *cli.Context, cfg *bridge.Config) (err error) {
	l := &cfg.Limits
	for name, to := range map[string]*int{"client-backlog": &l.LogBytes, "max-outbound": &l.MaxOutbound, "max-message": &l.MaxMessage, "max-head": &l.MaxHead} {
		if *to, err = byteSize(c, name); err != nil {
			return err
		}
	}
	for name, to := range map[string]*int{"message-rate": &l.MessageRate, "max-clients": &l.MaxConnections, "max-per-address": &l.MaxPerAddress} {
		if *to = c.Int(name); *to < 0 || *to == 0 && c.IsSet(name) {
			return fmt.Errorf("--%s %d must be at least 1", name, *to)
		}
	}
	l.LogAge, l.HeadTimeout = c.Duration("client-lag"), c.Duration("head-timeout")
	l.PingAfter, l.PongTimeout = c.Duration("ping-after"), c.Duration("pong-timeout")
	for _, name := range []string{"client-lag", "head-timeout", "ping-after", "pong-timeout"} {
		if c.Duration(name) < minDuration {
			return fmt.Errorf("--%s %v must be at least %v", name, c.Duration(name), minDuration)
		}
	}
	switch c.String("slow") {
	case "close":
	case "skip":
		cfg.SkipSlow = true
	default:
		return fmt.Errorf("--slow %q is nothing to do with a slow client; choose close or skip", c.String("slow"))
	}
	return nil
}

// byteSize reads a size such as 16MiB.
func byteSize(c *cli.Context, name string) (int, error) {
	n, err := humanize.ParseBytes(c.String(name))
	if err != nil || n < minBytes || n > math.MaxInt32 {
		return 0, fmt.Errorf("--%s %q is no size of at least %d bytes and less than 2GiB; write it as 512KiB or 16MiB", name, c.String(name), minBytes)
	}
	return int(n), nil
}
