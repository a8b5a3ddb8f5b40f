package bridge

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// Config configures a [Bridge]. Only Broker is required.
type Config struct {
	// Name is the bridge's name as a CLU client, at most 100 bytes. "" makes a random one, as
	// CLU does.
	Name string
	// Exchange is the actors' exchange. "" is [actor.Exchange].
	Exchange string
	// Broker holds the URLs of the broker's nodes, which are tried in turn.
	Broker []string
	// TLS is used with the broker for amqps URLs.
	TLS *tls.Config
	// Dial replaces the network connection to the broker, for an embedded broker.
	Dial func(network, addr string) (net.Conn, error)
	// ProbeAfter is how long the broker may send no reply before the bridge checks that a
	// reply would arrive; see [amqpx.Config].
	ProbeAfter time.Duration
	// FailFast ends Run if the broker cannot be reached at the start.
	FailFast bool
	// OnLink is called at every change of the link to the broker. It must not block.
	OnLink func(amqpx.State)
	// CheckConsumers fails a command whose actor is absent even if another program receives
	// it, such as a tap that is bound to command.#. An actor is present if the queue
	// <actor>_commands exists, as CLU names it: an actor whose queue has another name counts
	// as absent.
	CheckConsumers bool

	// Durable says what happens to replies while the link is down.
	Durable Durable
	// History bounds the replies that are kept for clients that resume. By default none are kept.
	History hub.History
	// Values bounds the memory of the last value of every keyword.
	Values snapshot.Limits
	// KeywordHistory bounds the memory of what keywords were, in bytes. By default nothing is kept.
	KeywordHistory int
	// Export chooses the keywords that the admin port exports as metrics. nil is none.
	Export *filter.Filter
	// Envelope says how replies are written.
	Envelope actor.Envelope
	// Batch is how long a reply to plain clients may wait for others, up to a second, so that
	// they leave in one write. A reply that ends a command or reports an error goes out at
	// once, with those that wait. v1 clients choose for themselves (batch_ms).
	Batch time.Duration
	// Sources are exchanges whose messages go to rooms.
	Sources []rooms.Source
	// RoomHistory is how many bytes of messages for rooms are kept for clients that resume. With 0, nobody can.
	RoomHistory int
	// Dialects serve paths in the protocols of other systems.
	Dialects []dialect.Mount
	// Presence is a topic exchange on which the bridge publishes which clients connect and
	// leave. "" is none.
	Presence string
	// PresenceRooms also publishes there which rooms clients subscribe to and leave, and what
	// they publish to rooms.
	PresenceRooms bool

	// Strict ignores bad input silently, as CLU does.
	Strict bool
	// ListClients lets v1 clients list the connected clients.
	ListClients bool
	// LogCommands logs a line for each command: consumer, id, client, first word and outcome.
	LogCommands bool

	// Access identifies clients. nil is no access control: every client may do everything.
	Access *access.Authority
	// Audit records who did what; nil records nothing. Its owner closes it.
	Audit *audit.Log

	// Site describes the observatory; nil is nothing.
	Site *site.Config

	// Page serves the requests on the clients' port that are not for a WebSocket. If it is nil,
	// they are answered with 426.
	Page http.Handler
	// Origins are the origins of web pages that may use the bridge, such as
	// https://console.example, "null", or "*" for all. If it is empty, the listener decides;
	// see package origin.
	Origins []string
	// TrustedProxies are networks and addresses of proxies that may name the client of a
	// request, and "unix" for the peers of Unix sockets.
	TrustedProxies []string
	// AdminHost is the host name in the admin address, if any; requests may name it as their
	// host.
	AdminHost string
	// CommandLine is the program's command line without secrets, for the admin port.
	CommandLine []string
	// CertificateEnd returns when the certificate of the listeners ends, for metrics. nil is for listeners without.
	CertificateEnd func() time.Time
	// Version is the program's version, for clients and metrics.
	Version string
	// Logger gets everything that an operator should know. nil is [slog.Default].
	Logger *slog.Logger

	// Limits bound the resources that clients may take.
	Limits engine.Limits
	// SkipSlow lets a client that reads too slowly skip what it has not read and go on after
	// an error envelope that says how much it missed. Otherwise it is closed.
	SkipSlow bool
	// Compress lets clients negotiate permessage-deflate. A reply is compressed once for all
	// of them.
	Compress bool
	// Loops is how many loops share the clients. 0 is one for each processor.
	Loops int
	// PortablePoller uses the poller of systems without epoll. It is for tests.
	PortablePoller bool
	// Drain says how the bridge stops.
	Drain Drain

	// The hub's clock, set by tests.
	now   func() time.Time
	after func(time.Duration, func()) (stop func() bool)
	// within replaces sendWithin, set by tests; 0 does not.
	within time.Duration
}

// maxName leaves room for the consumer in the routing key of replies, which contains both
// and has at most 255 bytes.
const maxName = 100

// complete sets the defaults and checks the configuration.
func (cfg *Config) complete() error {
	if cfg.Name == "" {
		cfg.Name = actor.NewClientName()
	}
	if len(cfg.Name) > maxName || !utf8.ValidString(cfg.Name) {
		return fmt.Errorf("the bridge's name must be UTF-8 of at most %d bytes; choose another --name", maxName)
	}
	if cfg.Batch < 0 || cfg.Batch > hub.MaxBatch {
		return fmt.Errorf("replies to plain clients cannot wait for %v; choose a --batch from 0 to %v", cfg.Batch, hub.MaxBatch)
	}
	if cfg.Exchange == "" {
		cfg.Exchange = actor.Exchange
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if err := checkExport(cfg.Export); err != nil {
		return err
	}
	if err := cfg.completeSources(); err != nil {
		return err
	}
	cfg.within = cmp.Or(cfg.within, sendWithin)
	cfg.History.SetDefaults()
	cfg.Drain.setDefaults()
	return cfg.Durable.check()
}
