package amqpx

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Config says which broker a [Link] connects to and what it consumes. Only URLs and Exchange
// are required.
type Config struct {
	// URLs are the broker's addresses (amqp:// or amqps://), tried in turn, as are all
	// addresses of each host name.
	URLs []string
	// TLS is used for amqps URLs; nil verifies against the system's roots.
	TLS *tls.Config
	// Name shows in the broker's list of connections.
	Name string
	// Exchange is the exchange that the link publishes to and binds its queues to. It is
	// declared as ExchangeOptions say.
	Exchange        string
	ExchangeOptions ExchangeOptions
	// Queues are declared, bound to Exchange and consumed.
	Queues []Queue
	// Prefetch is how many deliveries of each queue may be unacknowledged. 0 is 200, twice the
	// number beyond which more is no faster: RabbitMQ 3.10 delivered a backlog at 12,000/s
	// with 10, 17,000/s with 50, 19,000/s with 100, and no faster with 200, 400 or 1,000
	// (BenchmarkPrefetch, medians of eight on two busy cores).
	Prefetch int
	// MaxInFlight is how many publishes may be unconfirmed. 0 is 256.
	MaxInFlight int
	// MaxPending is how many publishes may wait until they are sent. A message counts once
	// more for each 16 KiB of its body. When the limit is reached, the tenant with the most
	// pending messages gives way to one with less than an equal share, and so does the sender
	// with the most within a tenant. 0 is 1024.
	MaxPending int
	// PublishTimeout is how long a publish may take before it is ended without a confirm, up
	// to a thirtieth later. 0 is 0.9 seconds.
	PublishTimeout time.Duration
	// CheckQueues makes the link look for the queues in [Message.Needs] before it sends a
	// message.
	CheckQueues bool
	// Heartbeat is the AMQP heartbeat interval. 0 is ten seconds.
	Heartbeat time.Duration
	// ProbeAfter is how long a queue may deliver nothing before the link sends a message to
	// check that messages arrive; for a stream it is three times as long. A negative value
	// never checks. 0 is ten seconds.
	ProbeAfter time.Duration
	// Dial replaces the network connection, for an embedded broker.
	Dial func(network, addr string) (net.Conn, error)
	// Jitter returns a duration from 0 up to d, which spreads attempts that would otherwise be
	// made at the same time. nil is random; a reproducible test supplies its own.
	Jitter func(d time.Duration) time.Duration
	// Lookup returns the addresses of a host, each of which is tried. nil asks the system;
	// with Dial, it leaves the host name as it is.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// OnState is called with every change of state, in order and one at a time. It must not
	// block.
	OnState func(State)
	// FailFast makes Run fail when the first connection cannot be made.
	FailFast bool
	// Logger gets one line for each change of state. nil is [slog.Default].
	Logger *slog.Logger
}

// check returns an error for a configuration that no broker could accept.
func (cfg *Config) check() error {
	if len(cfg.URLs) == 0 {
		return errors.New("amqpx: no broker URL given")
	}
	for _, u := range cfg.URLs {
		if err := CheckURL(u); err != nil {
			return err
		}
	}
	if cfg.Exchange == "" {
		return errors.New("amqpx: no exchange given")
	}
	if err := checkShort("exchange name", cfg.Exchange); err != nil {
		return err
	}
	for _, q := range cfg.Queues {
		if err := q.check(); err != nil {
			return err
		}
	}
	return nil
}

// setDefaults replaces zero values. BenchmarkMaxInFlight: with RabbitMQ on the same two cores, 1, 16,
// 64, 256 and 1024 publishes in flight carry 8, 18, 32, 39 and 27 thousand a second at best.
func (cfg *Config) setDefaults() {
	cfg.Prefetch = orDefault(cfg.Prefetch, 200)
	cfg.MaxInFlight = orDefault(cfg.MaxInFlight, 256)
	cfg.MaxPending = orDefault(cfg.MaxPending, 1024)
	cfg.PublishTimeout = orDefault(cfg.PublishTimeout, 900*time.Millisecond)
	cfg.Heartbeat = orDefault(cfg.Heartbeat, 10*time.Second)
	if cfg.ProbeAfter = orDefault(cfg.ProbeAfter, 10*time.Second); cfg.ProbeAfter > 0 {
		cfg.ProbeAfter = max(cfg.ProbeAfter, probeTicks*time.Millisecond)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Jitter == nil {
		cfg.Jitter = randomBelow
	}
	if cfg.Lookup == nil && cfg.Dial == nil {
		cfg.Lookup = lookupHost
	}
}

func orDefault[T int | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}
