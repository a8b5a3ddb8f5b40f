package main

import (
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/internal/eventlog"
)

// Categories of flags in --help.
const (
	catFile    = "The configuration file"
	catListen  = "Clients and listeners"
	catBroker  = "Broker"
	catCLU     = "CLU"
	catHistory = "History and durable replies"
	catRooms   = "Rooms and presence"
	catLimits  = "Limits of clients"
	catAdmin   = "Operation"
)

// Bounds of durations and sizes.
const (
	minDuration = time.Second
	minBytes    = 1 << 10
)

// repeatable ends the usage of a flag that is read with listValues.
const repeatable = "; may be repeated, or several separated by spaces"

// commaInValue are the repeatable flags whose values may have commas.
var commaInValue = map[string]bool{"url": true, "source": true}

// listValues returns the values of a repeatable flag. Of all of them, on the command line, in the
// variable and in the file, spaces separate values, and so do commas unless a value may have one.
// Without a value it returns nil.
func listValues(c *cli.Context, flag string) []string {
	separates := func(r rune) bool { return unicode.IsSpace(r) || r == ',' && !commaInValue[flag] }
	if values := strings.FieldsFunc(strings.Join(c.StringSlice(flag), " "), separates); len(values) > 0 {
		return values
	}
	return nil
}

// byteSize reads a size such as 16MiB.
func byteSize(c *cli.Context, flag string) (int, error) {
	n, err := humanize.ParseBytes(c.String(flag))
	if err != nil || n < minBytes || n > math.MaxInt32 {
		return 0, fmt.Errorf("--%s %q is not a size of at least %d bytes and less than 2GiB; write it as 512KiB or 16MiB", flag, c.String(flag), minBytes)
	}
	return int(n), nil
}

// atLeast reads a duration that must not be too short.
func atLeast(c *cli.Context, flag string, bound time.Duration) (time.Duration, error) {
	d := c.Duration(flag)
	if d < bound {
		return 0, fmt.Errorf("--%s %v must be at least %v", flag, d, bound)
	}
	return d, nil
}

// testFlags returns flags that --help does not show: they set what is otherwise chosen for the
// system.
func testFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "poller", Hidden: true, Usage: "`POLLER` of the WebSocket engine, for tests: portable, or the system's own if empty"},
	}
}

// usePortablePoller reports whether --poller asks for the portable one.
func usePortablePoller(c *cli.Context) (bool, error) {
	switch which := c.String("poller"); which {
	case "":
		return false, nil
	case "portable":
		return true, nil
	default:
		return false, fmt.Errorf("--poller %q is unknown; choose portable, or leave it out", which)
	}
}

// logFormat reads --log-format.
func logFormat(c *cli.Context) (eventlog.Format, error) {
	f, err := eventlog.ParseFormat(c.String("log-format"))
	if err != nil {
		return "", fmt.Errorf("--log-format %w", err)
	}
	return f, nil
}

// logLevel reads --log-level.
func logLevel(c *cli.Context) (level slog.Level, err error) {
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return 0, fmt.Errorf("--log-level %q is not a level; choose debug, info, warn or error", c.String("log-level"))
	}
	return level, nil
}
