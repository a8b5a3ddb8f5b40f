//go:build !linux

package bench

import (
	"context"
	"errors"
	"io"
	"time"
)

// errLinux says why nothing can be measured here: the measurements need epoll and /proc.
func errLinux() error { return errors.New("clu-ws bench needs Linux") }

// Scenarios returns no names: [Run] can measure nothing here.
func Scenarios() []string { return nil }

// Run needs Linux.
func Run(context.Context, Config) error { return errLinux() }

// Baseline needs Linux.
func Baseline(context.Context, io.Reader, io.Writer) error { return errLinux() }

// TLSBaseline needs Linux.
func TLSBaseline(context.Context, string, string, io.Reader, io.Writer) error { return errLinux() }

// Relay needs Linux.
func Relay(context.Context, string, io.Reader, io.Writer) error { return errLinux() }

// Worker needs Linux.
func Worker(context.Context, string, int, io.Reader, io.Writer) error { return errLinux() }

// Peers needs Linux.
func Peers(context.Context, PeersConfig) (*PeersReport, error) { return nil, errLinux() }

// Dialects needs Linux.
func Dialects(context.Context, PeersConfig) (*DialectsReport, error) { return nil, errLinux() }

// LoadConfig says what [Load] connects to.
type LoadConfig struct {
	URL      string
	Clients  int
	Duration time.Duration
	Stdout   io.Writer
}

// Load needs Linux.
func Load(context.Context, LoadConfig) error { return errLinux() }
