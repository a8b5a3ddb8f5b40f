package main

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
)

const catHistory = "What is remembered"

// Bounds of the flags: RabbitMQ counts an expiry in milliseconds of 32 bits.
const (
	minExpiry = time.Second
	maxExpiry  = math.MaxUint32 * time.Millisecond
	minStreamBytes = 1 << 20
)

func historyFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "durable", Value: "no", EnvVars: env("durable"), Category: catHistory, Usage: "`HOW` replies survive while the bridge is not linked: no (a gap is told), expires=60s (its queue is kept so long), or stream (a RabbitMQ stream, which remembers over the bridge's own restart)"},
		&cli.StringFlag{Name: "stream-name", EnvVars: env("stream-name"), Category: catHistory, DefaultText: "<exchange>_stream", Usage: "`NAME` of the stream; all bridges of an exchange share it"},
		&cli.DurationFlag{Name: "stream-age", Value: 24 * time.Hour, EnvVars: env("stream-age"), Category: catHistory, Usage: "`TIME` for which the stream keeps a reply"},
		&cli.StringFlag{Name: "stream-bytes", Value: "1GiB", EnvVars: env("stream-bytes"), Category: catHistory, Usage: "`BYTES` that the stream keeps at the broker"},
		&cli.IntFlag{Name: "history", Value: 10000, EnvVars: env("history"), Category: catHistory, Usage: "`REPLIES` kept here for clients that resume; 0 keeps none"},
		&cli.StringFlag{Name: "history-bytes", Value: "64MiB", EnvVars: env("history-bytes"), Category: catHistory, Usage: "`BYTES` that they may take"},
		&cli.DurationFlag{Name: "history-age", Value: 10 * time.Minute, EnvVars: env("history-age"), Category: catHistory, Usage: "`TIME` for which they are kept"},
	}
}

// readHistory reads the flags of what is remembered into a bridge's configuration.
func readHistory(c *cli.Context, cfg *bridge.Config) (err error) {
	if cfg.Durable, err = durable(c); err != nil {
		return err
	}
	h := &cfg.History
	if h.Replies = c.Int("history"); h.Replies < 0 {
		return fmt.Errorf("--history %d is no number of replies; 0 keeps none", h.Replies)
	}
	if h.Bytes, err = byteSize(c, "history-bytes"); err != nil {
		return err
	}
	if h.Age = c.Duration("history-age"); h.Age < minDuration {
		return fmt.Errorf("--history-age %v must be at least %v", h.Age, minDuration)
	}
	return nil
}

// durable reads --durable, and the flags that belong to a stream.
func durable(c *cli.Context) (d bridge.Durable, err error) {
	how := c.String("durable")
	if how != "stream" {
		for _, flag := range []string{"stream-name", "stream-age", "stream-bytes"} {
			if c.IsSet(flag) {
				return d, fmt.Errorf("--%s needs --durable stream", flag)
			}
		}
	}
	if how != "no" && c.Bool("embedded-broker") {
		return d, errors.New("--embedded-broker ends with the bridge: nothing there is durable; leave --durable out")
	}
	span, expires := strings.CutPrefix(how, "expires=")
	switch {
	case how == "no":
	case how == "stream":
		d.Stream, err = streamOptions(c)
	case expires:
		d.Expires, err = time.ParseDuration(span)
		if err != nil || d.Expires < minExpiry || d.Expires > maxExpiry {
			return d, fmt.Errorf("--durable %q: write expires=60s, with a time from %v to %v", how, minExpiry, maxExpiry.Truncate(time.Hour))
		}
	default:
		return d, fmt.Errorf("--durable %q is not understood; choose no, expires=60s or stream", how)
	}
	return d, err
}

func streamOptions(c *cli.Context) (*bridge.Stream, error) {
	s := &bridge.Stream{Name: c.String("stream-name"), Age: c.Duration("stream-age")}
	if s.Age < time.Minute {
		return nil, fmt.Errorf("--stream-age %v must be at least a minute", s.Age)
	}
	n, err := humanize.ParseBytes(c.String("stream-bytes"))
	if err != nil || n < minStreamBytes || n > math.MaxInt64 {
		return nil, fmt.Errorf("--stream-bytes %q is no size from 1MiB; write it as 500MiB or 10GiB", c.String("stream-bytes"))
	}
	s.Bytes = int64(n)
	return s, nil
}
