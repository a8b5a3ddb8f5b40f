package engine

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config configures an [Engine].
type Config struct {
	// Handler decides on connections and receives their messages.
	Handler Handler
	// HTTP serves requests that are not WebSocket upgrades. They have no body: requests
	// with one are rejected. nil answers 426.
	HTTP http.Handler
	// Loops is the number of event loops that share the connections. 0 means one per
	// processor.
	Loops int
	// Portable selects Go's own poller even where epoll is available. It is for tests.
	Portable bool
	// Skip lets a client that has lagged behind its log continue with the newest frames,
	// after the frame that Skip returns for the number of frames missed (nil sends none).
	// Without Skip such a client is closed with 1008. It runs on the loops, must not block,
	// and may call what a Handler may.
	Skip func(session any, missed uint64) Frame
	// Rejected is called for each rejected request and each evicted connection. It runs on
	// the loops and must not block. nil ignores them.
	Rejected func(r *RejectError, client netip.AddrPort)
	// ClientAddr returns the client's address for an upgrade that may come through a proxy.
	// The request's address is that of the socket or of the PROXY header. It runs on the
	// loops and must not block. nil means the request's address.
	ClientAddr func(r *Request) (netip.AddrPort, *RejectError)
	// Exempt reports whether an address belongs to a proxy and is exempt from
	// Limits.MaxPerAddress. Loopback addresses always are; nil exempts no others. It runs
	// on the loops with a lock held, must not block, and must not call the engine.
	Exempt func(netip.Addr) bool
	// Vital reports whether an HTTP request, such as a health check, must be served even at
	// the connection limit. It runs on the loops and must not block. nil means none.
	Vital func(r *Request) bool
	// ProxyAdvice is appended to the error for an unexpected PROXY header.
	ProxyAdvice string
	// Compress lets clients negotiate permessage-deflate (RFC 7692). A frame of a log is
	// then compressed once for all of them, and their messages are inflated. A log with
	// followers of both kinds keeps LogBytes for each kind.
	Compress bool
	// Limits bound the resources that clients may use.
	Limits
	// Logger receives what an operator needs to know. nil means [slog.Default].
	Logger *slog.Logger

	clock func() time.Duration // set by tests of pauses

	// Longer in tests that a slow machine must not time out. 0 means the constant of the
	// same name.
	closeTimeout, finishTimeout, cutTimeout time.Duration
}

// Handler is the server's side of the connections. Its methods run on the engine's loops,
// must not block, and may call [Log.Append] and any method of [Conn]. Calls for one
// connection are sequential. Calls for different connections are concurrent, so shared
// state needs a lock.
//
// A panic in a Handler, or in a callback of [Config], ends only the connection that the
// call was for: with 1011, or with 500 before the upgrade. It is logged with its stack and
// counted ([Stats]). [runtime.Goexit] is not a panic: it ends the engine, which logs that
// and cuts all connections, some without a call of Closed. A Handler in a test must
// therefore not call FailNow or Fatal. Shutdown must still be called, and returns.
type Handler interface {
	// Accept decides on an upgrade request, which is valid only during the call. The error
	// is a [*RejectError]; any other error is answered with 500. What takes long is decided on
	// another goroutine: see [Accepted].Later.
	//
	// If browsers can reach the server, Accept must check the request's Origin (RFC 6455,
	// 10.2), which the engine cannot judge. A browser lets any page open a WebSocket to any
	// server, with that server's cookies, with client certificates and from inside the user's
	// network, so a foreign page would act with the user's rights (cross-site WebSocket
	// hijacking). Compare it with a list of your own sites, not with Host: the name of a
	// foreign page may resolve to your server (DNS rebinding).
	Accept(r *Request) (Accepted, error)
	// Open is called once the connection is established, before any message.
	Open(c Conn, session any)
	// Message receives a message, whose payload is valid only during the call.
	Message(c Conn, session any, m Message)
	// Closing is called while the connection is still open, when no further message can
	// follow because the client has begun to close or has violated the protocol. Frames
	// sent from then until [Conn.Finish] go out before the close frame. The handler calls
	// Finish once all earlier messages are answered, during Closing or later. Without
	// Finish the connection closes a second after Closing, or when the client has read
	// nothing for a second.
	Closing(c Conn, session any)
	// Closed is called once, when an open connection begins to end for any reason. No
	// message follows. The code and reason are those of the first close frame, the client's
	// or the engine's; the code is 1005 if the client gave none, and 1006 if the connection
	// broke without a close frame (RFC 6455, 7.4.1).
	Closed(c Conn, session any, code int, reason string)
}

// Message is a message from a client.
type Message struct {
	// Payload is the whole message, unmasked and inflated. A text message is valid UTF-8.
	Payload []byte
	// Binary reports whether it is a binary message rather than text.
	Binary bool
	// Late is how long the message may have waited because the process was paused, or because
	// reading was paused while the client did not read or too much was waiting to be written;
	// 0 if none of these applies. A handler must not act on such a message if acting late
	// would be wrong.
	Late time.Duration
}

// Accepted describes how an accepted connection starts.
type Accepted struct {
	// Log is the log that the connection follows; nil means none.
	Log *Log
	// Session is passed back with every call for the connection.
	Session any
	// Subprotocol is named in the response; "" names none. It must be one that the client
	// offers in Sec-WebSocket-Protocol, or the client ends the connection.
	Subprotocol string
	// Later decides instead of the other fields, if it is set, and may take its time: the
	// connection is parked meanwhile. It runs on a goroutine of its own, without the
	// request; the loops share the processors with those that compute, so there should be
	// few at a time. The context ends when the client hangs up or is waited for no longer
	// (Limits.DecisionTimeout). The result of Later is called on the connection's loop if
	// the client is still there, so that what it reserves is released in Closed.
	Later func(ctx context.Context) Decision

	deflate bool // permessage-deflate was negotiated
}

// Decision decides on a parked connection, as [Handler].Accept does, except that
// Accepted.Later must not be set again.
type Decision func() (Accepted, error)

// Engine serves WebSocket connections on its own event loops.
type Engine struct {
	cfg        Config
	log        *slog.Logger
	start      time.Time
	goroutines sync.WaitGroup

	loops      []*loop
	acceptor   *acceptor // distributes connections to the loops
	handoff    *handoff
	handshakes *handshakePool // of TLS connections
	decisions  *decisions     // of parked connections
	deflate    *deflate       // nil without compression
	pauses     pauseDetector

	// Limits over all loops.
	limiter          connLimiter
	capacity         capacity
	inbound          inboundLimit
	handshakeInbound inboundLimit // before and during TLS handshakes
	outbound         atomic.Int64 // bytes queued for single connections
	shedding         atomic.Bool  // a search for the largest queue is running

	// Counters for Stats.
	open     atomic.Int64 // WebSocket connections between Open and Closed
	slow     atomic.Int64 // connections closed as too slow
	skips    atomic.Int64 // times a lagging connection continued with newer frames
	rejected atomic.Int64 // connections over the limits
	panics   atomic.Int64 // in handlers and callbacks

	lastMisuse atomic.Int64 // the tick in which a misuse was last logged

	// mu guards the following fields.
	mu           sync.Mutex
	listeners    []io.Closer
	notListening bool // StopListening was called
	stopped      bool
}

// ErrClosed is returned by [Engine.Listen] after [Engine.StopListening] or
// [Engine.Shutdown], and by a second Shutdown.
var ErrClosed = errors.New("engine: shut down")

// New starts an engine's loops. It serves nothing before [Engine.Listen], and runs until
// [Engine.Shutdown]. Negative values in the configuration are errors.
func New(cfg Config) (*Engine, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg.Loops = cmp.Or(cfg.Loops, runtime.GOMAXPROCS(0))
	cfg.Limits.setDefaults()
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.HTTP == nil {
		cfg.HTTP = http.HandlerFunc(serveUpgradeRequired)
	}
	e := &Engine{cfg: cfg, log: cfg.Logger, start: time.Now()}
	e.limiter = connLimiter{max: cfg.MaxConnections, perAddress: cfg.MaxPerAddress, exempt: e.callExempt}
	e.inbound.max, e.handshakeInbound.max = cfg.MaxInbound, cfg.MaxInbound
	if cfg.Compress {
		e.deflate = newDeflate(cfg.MaxMessage)
	}
	e.pauses.init(&e.cfg)
	e.handshakes = newHandshakes(e)
	e.decisions = newDecisions(e)
	e.capacity.init(e.resumeReads)
	if err := e.startLoops(); err != nil {
		return nil, err
	}
	e.goroutines.Go(e.pauses.run)
	e.handoff = newHandoff(&e.cfg, e.callVital)
	e.goroutines.Go(e.handoff.run)
	return e, nil
}

// ListenOptions are the options of a listener.
type ListenOptions struct {
	// Proxy means that each connection begins with a PROXY protocol header, version 1 or 2,
	// that names the client. With TLS the header precedes the handshake, in the clear.
	Proxy bool
	// TLS configures TLS for the connections; nil means no TLS. Its callbacks run on
	// handshake goroutines, of which only one per processor computes at a time, so a
	// callback that blocks delays other handshakes. To replace a certificate while the
	// engine runs, use GetCertificate or GetConfigForClient. WebSocket needs HTTP/1.1, so
	// "h2" is removed from NextProtos. A configuration returned by GetConfigForClient is
	// used unchanged and must not offer "h2".
	TLS *tls.Config
	// Tag is passed to the handler with each request ([Request.Tag], [TagFromContext]).
	Tag any

	unix bool // it is a Unix socket, at which processes are known; not those behind a proxy
}

// Listen starts serving the connections of a listener, and returns at once: unlike
// [http.Serve] it does not block. The engine owns the listener from then on and closes it;
// it may have any number of listeners, each given once. The error is [ErrClosed] after the
// engine has stopped listening. Any other error says what is wrong with the listener, which
// then still belongs to the caller. Listen may be called from any goroutine.
//
// The listener must be a plain TCP or Unix listener: a wrapper hides the socket from the
// loops. For TLS see [ListenOptions].
func (e *Engine) Listen(ln net.Listener) error { return e.ListenWith(ln, ListenOptions{}) }

// ListenWith is Listen with options.
func (e *Engine) ListenWith(ln net.Listener, options ListenOptions) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.notListening {
		return ErrClosed
	}
	if options.TLS != nil {
		options.TLS = options.TLS.Clone()
		// A reply should leave whole and as soon as possible, in one write.
		options.TLS.DynamicRecordSizingDisabled = true
		options.TLS.NextProtos = dropHTTP2(options.TLS.NextProtos)
	}
	socket, ok := ln.(interface{ File() (*os.File, error) })
	switch {
	case !ok:
		return fmt.Errorf("engine: cannot serve a %T: give a TCP or Unix listener, and ListenOptions.TLS for TLS", ln)
	case slices.ContainsFunc(e.listeners, func(l io.Closer) bool { return reflect.ValueOf(l).Comparable() && l == io.Closer(ln) }):
		return errors.New("engine: this listener is already being served")
	}
	options.unix = ln.Addr().Network() == "unix" && !options.Proxy
	file, err := socket.File() // shares the socket with ln, whose Close may remove a path
	if err != nil {
		return fmt.Errorf("engine: cannot serve the listener: %w", err)
	}
	if err := e.acceptor.listen(int(file.Fd()), &options); err != nil {
		file.Close()
		return fmt.Errorf("engine: cannot serve the listener: %w", err)
	}
	e.listeners = append(e.listeners, file, ln)
	return nil
}

// now returns the engine's coarse clock.
func (e *Engine) now() tick { return tick(time.Since(e.start)/tickLength) + 1 }

// elapsed returns the time since the engine started. It is never 0 for a frame's due time.
func (e *Engine) elapsed() time.Duration { return time.Since(e.start) }

// Each calls visit for every open connection, on the caller's goroutine, where visit may
// take its time. A connection may have ended by then, and one that opens meanwhile may be
// left out. Each waits for a turn of every loop, so it must not be called from a [Handler],
// which would wait for itself.
func (e *Engine) Each(visit func(c Conn, session any)) {
	type member struct {
		conn    Conn
		session any
	}
	for _, l := range e.loops {
		var open []member
		l.do(func() {
			l.conns.each(func(c *conn) {
				if c.state == stateOpen {
					open = append(open, member{l.handle(c), c.session})
				}
			})
		})
		for _, m := range open {
			visit(m.conn, m.session)
		}
	}
}
