package broker

import (
	"log/slog"
	"time"
)

// Config configures a broker: its users, and the bounds of everything that a client declares. The zero value is
// usable: guest/guest, bounds that suit one development machine, and no log.
type Config struct {
	// Logger receives one record for each event: a refused login, a failed connection, the memory alarm.
	// Nil means no log.
	Logger *slog.Logger

	// Users maps a name to its password for PLAIN login. Nil means guest/guest.
	Users map[string]string

	// MaxBytes bounds the messages in all queues together, including unacknowledged ones. A publish that
	// would exceed it is nacked on a channel in confirm mode, and dropped otherwise. From three quarters of
	// it on, publishers are sent connection.blocked. Default 256 MiB.
	MaxBytes int

	// MaxBody bounds the body of one message, in bytes. Default 16 MiB.
	MaxBody int

	// MaxOutbound is how many bytes may wait to be written to one connection before deliveries to it
	// pause. They resume at half of it. Default 1 MiB.
	MaxOutbound int

	// FrameMax is the largest frame proposed to a client, in bytes, its 8 bytes of framing included.
	// Default 131072.
	FrameMax int

	// ChannelMax is the highest channel number proposed to a client. Default 2047.
	ChannelMax int

	// Heartbeat is the interval proposed to a client, which may choose another or none. Default 60 s.
	Heartbeat time.Duration

	// HandshakeTimeout bounds the time from a connection's first byte to connection.open. Default 10 s.
	HandshakeTimeout time.Duration

	// WriteTimeout bounds one write. A client that reads nothing for that long is disconnected.
	// Default 30 s.
	WriteTimeout time.Duration

	// How many of each may exist at once, over all connections.
	MaxConnections int // default 1,024
	MaxExchanges   int // default 4,096
	MaxQueues      int // default 16,384
	MaxBindings    int // default 65,536
	MaxConsumers   int // default 16,384
}

// withDefaults replaces zero values by their defaults.
func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Users == nil {
		c.Users = map[string]string{"guest": "guest"}
	}
	orDefault(&c.MaxBytes, 256<<20)
	orDefault(&c.MaxBody, 16<<20)
	orDefault(&c.MaxOutbound, 1<<20)
	orDefault(&c.FrameMax, 128<<10)
	orDefault(&c.ChannelMax, 2047)
	orDefault(&c.Heartbeat, 60*time.Second)
	orDefault(&c.HandshakeTimeout, 10*time.Second)
	orDefault(&c.WriteTimeout, 30*time.Second)
	orDefault(&c.MaxConnections, 1<<10)
	orDefault(&c.MaxExchanges, 4<<10)
	orDefault(&c.MaxQueues, 16<<10)
	orDefault(&c.MaxBindings, 64<<10)
	orDefault(&c.MaxConsumers, 16<<10)
	c.FrameMax = max(c.FrameMax, frameMinMax)
	c.ChannelMax = min(c.ChannelMax, 65535)
	return c
}

func orDefault[T ~int | ~int64](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}
