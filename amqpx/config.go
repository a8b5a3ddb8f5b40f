package amqpx

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Config says what a [Link] connects to and what it consumes.
type Config struct {
	// URLs are the broker's addresses (amqp:// or amqps://), tried in turn, with every
	// address that each host has.
	URLs []string
	// TLS is used for amqps URLs; nil verifies against the system's roots.
	TLS *tls.Config
	// Name shows in the broker's list of connections.
	Name string
	// Exchange is declared as CLU declares it (topic, not durable, auto-delete),
	// unless Like says otherwise.
	Exchange        string
	ExchangeOptions ExchangeOptions
	// Queues are declared, bound to Exchange and consumed.
	Queues []Queue
	// Prefetch is how many deliveries may be unacknowledged, for each queue. 0 is
	// 200, twice the knee: a backlog at RabbitMQ 3.10 was read at 12,000/s with 10,
	// 17,000/s with 50, 19,000/s with 100, and no faster with 200, 400 or 1,000
	// (BenchmarkPrefetch, medians of eight on two busy cores).
	Prefetch int
	// Window is how many publishes may be unconfirmed. 0 is 256.
	MaxInFlight int
	// Waiting is how many publishes may wait for a place in the window; one counts once
	// more for each 16 KiB of its body. When they are so many, the party that has most
	// gives way to one that has less than an equal part, and within a party the sender.
	// 0 is 1024.
	MaxPending int
	// PublishTimeout ends a publish that has no outcome by then, or up to a thirtieth
	// later. 0 is 0.9 seconds.
	PublishTimeout time.Duration
	// CheckQueues looks for the queues that a message needs before it is sent.
	CheckQueues bool
	// Heartbeat is the AMQP heartbeat interval. 0 is ten seconds.
	Heartbeat time.Duration
	// ProbeAfter is how long a queue may deliver nothing before the link checks, by a message
	// of its own, that one would arrive; for a stream it is three times as long. Less than
	// zero never checks. 0 is ten seconds.
	ProbeAfter time.Duration
	// Dial replaces the network, for an embedded broker.
	Dial func(network, addr string) (net.Conn, error)
	// Lookup finds the addresses of a host, each of which is tried. nil asks the system,
	// and with Dial nobody.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// OnState is told of every change of state, in order and one at a time. It
	// must not block.
	OnState func(State)
	// FailFast ends Run when the first connection cannot be made.
	FailFast bool
	// Logger gets one line a change of state. nil is [slog.Default].
	Logger *slog.Logger
}

func orDefault[T int | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}
