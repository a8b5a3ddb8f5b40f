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

// Bounds of the flags. RabbitMQ counts an expiry in milliseconds of 32 bits.
const (
	minExpiry      = time.Second
	maxExpiry      = math.MaxUint32 * time.Millisecond
	minStreamAge   = time.Minute
	minStreamBytes = 1 << 20
)

func historyFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "durable", Value: "no", EnvVars: env("durable"), Category: catHistory, Usage: "`HOW` replies survive while the bridge is not linked: no (clients are told of the gap), expires=60s (the broker keeps the bridge's queue for that time), or stream (a RabbitMQ stream, which also survives a restart of the bridge)"},
		&cli.StringFlag{Name: "stream-name", EnvVars: env("stream-name"), Category: catHistory, DefaultText: "<exchange>_stream", Usage: "`NAME` of the stream, which all bridges of an exchange share"},
		&cli.DurationFlag{Name: "stream-age", Value: 24 * time.Hour, EnvVars: env("stream-age"), Category: catHistory, Usage: "`TIME` for which the stream keeps a reply"},
		&cli.StringFlag{Name: "stream-bytes", Value: "1GiB", EnvVars: env("stream-bytes"), Category: catHistory, Usage: "`BYTES` that the stream keeps at the broker"},
		&cli.IntFlag{Name: "history", Value: 50_000, EnvVars: env("history"), Category: catHistory, Usage: "`REPLIES` that the bridge keeps for clients that resume, and for the log; 0 keeps none"},
		&cli.StringFlag{Name: "history-bytes", Value: "64MiB", EnvVars: env("history-bytes"), Category: catHistory, Usage: "most `BYTES` of kept replies"},
		&cli.DurationFlag{Name: "history-age", Value: 24 * time.Hour, EnvVars: env("history-age"), Category: catHistory, Usage: "longest `TIME` for which a reply is kept"},
		&cli.StringFlag{Name: "values-bytes", Value: "64MiB", EnvVars: env("values-bytes"), Category: catHistory, Usage: "most `BYTES` of the history of keywords: what their values were in the last 24 hours, for plots; 0 keeps none"},
	}
}

// readHistory reads the flags of history and durable replies into a bridge's
// configuration.
func readHistory(c *cli.Context, cfg *bridge.Config) (err error) {
	if cfg.Durable, err = durable(c); err != nil {
		return err
	}
	h := &cfg.History
	if h.Replies = c.Int("history"); h.Replies < 0 {
		return fmt.Errorf("--history %d is not a number of replies; 0 keeps none", h.Replies)
	}
	if h.Bytes, err = byteSize(c, "history-bytes"); err != nil {
		return err
	}
	if h.Age, err = atLeast(c, "history-age", minDuration); err != nil {
		return err
	}
	if c.String("values-bytes") != "0" {
		cfg.KeywordHistory, err = byteSize(c, "values-bytes")
	}
	return err
}

// durable reads --durable and the flags of the stream.
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
		return d, errors.New("--embedded-broker ends with the bridge, so nothing there is durable; leave --durable out")
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

// streamOptions reads the flags of the stream.
func streamOptions(c *cli.Context) (*bridge.Stream, error) {
	s := &bridge.Stream{Name: c.String("stream-name")}
	var err error
	if s.Age, err = atLeast(c, "stream-age", minStreamAge); err != nil {
		return nil, err
	}
	n, err := humanize.ParseBytes(c.String("stream-bytes"))
	if err != nil || n < minStreamBytes || n > math.MaxInt64 {
		return nil, fmt.Errorf("--stream-bytes %q is not a size of at least 1MiB; write it as 500MiB or 10GiB", c.String("stream-bytes"))
	}
	s.Bytes = int64(n)
	return s, nil
}
