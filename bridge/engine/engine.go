package engine

import (
	"cmp"
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

// Config says how an [Engine] serves.
type Config struct {
	// Handler decides on connections and receives their messages.
	Handler Handler
	// HTTP answers requests that are no WebSocket upgrade and have no body; one with a
	// body is refused. nil answers 426.
	HTTP http.Handler
	// Loops is how many loops share the connections. 0 is one for each processor.
	Loops int
	// Portable serves by Go's own poller, as where there is no epoll. It is for tests.
	Portable bool
	// Skip makes a client that falls off its log go on with what is newest, behind
	// the notice that Skip gives for the number of frames missed (nil gives none).
	// Without Skip such a client is closed with 1008. It runs on the loops, must not
	// block, and may call what a Handler may.
	Skip func(session any, missed uint64) Frame
	// Rejected is called for each refused request and each evicted connection. It runs
	// on the loops and must not block. nil ignores them.
	Rejected func(r *RejectError, client netip.AddrPort)
	// ClientAddr returns the client's address of an upgrade that may come through a
	// proxy. The request has the address of the socket or the PROXY header. It runs on
	// the loops and must not block. nil means the request's address.
	ClientAddr func(r *Request) (netip.AddrPort, *RejectError)
	// Exempt reports whether an address is a proxy's and exempt from
	// Limits.MaxPerAddress. This machine's own addresses always are; nil exempts no
	// others. It runs on the loops, must not block, and must not call the engine: a lock
	// is held.
	Exempt func(netip.Addr) bool
	// Vital reports whether an HTTP request must be answered even at the connection
	// limit, such as a health check. It runs on the loops and must not block. nil means
	// none.
	Vital func(r *Request) bool
	// ProxyAdvice is the advice in the refusal of an unexpected PROXY header.
	ProxyAdvice string
	// Compress lets clients negotiate permessage-deflate (RFC 7692). A frame of a
	// log is then compressed once for all of them, and their messages are inflated.
	// A log that is followed both ways keeps LogBytes of either kind.
	Compress bool
	// Limits bound what clients may take.
	Limits
	// Logger gets what an operator must know. nil is [slog.Default].
	Logger *slog.Logger

	clock func() time.Duration // set by tests of stalls
}

// Handler is what a server makes of its connections. Its methods run on the
// engine's loops, must not block, and may call [Log.Append] and any method of [Conn].
// What it is told of one connection it is told in order, and never at the same time. Calls
// about different connections come at the same time, from all loops, so what they share
// needs a lock.
//
// A panic in a Handler, or in a callback of [Config], ends the connection that the call
// was about, with 1011 or before the upgrade with 500; it is logged with its stack and
// counted ([Stats]). Other connections do not notice. [runtime.Goexit] is not a panic: it
// ends the engine, which says so in the log and cuts all connections, some of them without a
// call of Closed. So a Handler in a test must not call FailNow or Fatal. Shutdown is still to
// be called, and returns.
type Handler interface {
	// Accept decides on an upgrade request, which is valid during the call. The
	// error is a [*RejectError], or anything else for 500.
	//
	// If browsers can reach the server, Accept must check the request's Origin (RFC 6455,
	// 10.2), which the engine does not know how to judge: a browser lets any page open a
	// WebSocket to any server, with the server's cookies, its client certificate and from
	// within its network, so that a foreign page acts with the rights of whoever looks at
	// it (cross-site WebSocket hijacking).
	Accept(r *Request) (Accepted, error)
	// Open is called once the connection is established, before any message.
	Open(c Conn, session any)
	// Message receives a message, whose payload is valid during the call.
	Message(c Conn, session any, m Message)
	// Closing is called when no message follows because the client has begun to close or
	// has broken the protocol, while the connection is still open. Frames sent from
	// then until [Conn.Finish] go out before the close frame. The handler calls Finish
	// once all earlier messages are answered, during Closing or later. Without Finish
	// the connection closes a second after Closing, or when the client has read nothing
	// for a second.
	Closing(c Conn, session any)
	// Closed is called once, when an open connection begins to end for whatever
	// reason. No message follows. The code and the reason are those of the close frame, the
	// client's or the engine's, whichever was first; the code is 1005 if the client gave
	// none, and 1006 if the connection broke without a close frame (RFC 6455, 7.4.1).
	Closed(c Conn, session any, code int, reason string)
}

// Message is a message from a client.
type Message struct {
	// Payload is the whole message, unmasked and inflated. A text is valid UTF-8.
	Payload []byte
	// Binary reports whether it is a binary message; else it is a text.
	Binary bool
	// Stalled is for how long the engine stood still while the message may have waited
	// in the socket, or reading was paused because the client did not read or too much
	// waited to be written; 0 if none of these. A handler must not do for such a message what must not happen late.
	Stalled time.Duration
}

// Accepted is how an accepted connection starts.
type Accepted struct {
	// Log is what the connection follows from now on; nil follows nothing.
	Log *Log
	// Session is handed back with every call about the connection.
	Session any
	// Subprotocol is named in the answer; "" names none. It must be one of those that the
	// client offers in Sec-WebSocket-Protocol, or the client ends the connection.
	Subprotocol string

	deflate bool // permessage-deflate was negotiated
}

// Engine serves WebSocket connections on loops of its own.
type Engine struct {
	cfg            Config
	log            *slog.Logger
	loops          []*loop   // share the connections
	acceptor       *acceptor // deals them out
	handoff        *handoff
	handshakes     *handshakePool // of TLS connections on the loops
	deflate        *deflate       // nil without compression
	goroutines     sync.WaitGroup
	start          time.Time
	limiter        connLimiter
	capacity       capacity
	stalls         stallDetector
	open           atomic.Int64 // WebSocket connections between Open and Closed
	inbound        atomic.Int64 // bytes of incomplete messages
	handshakeBytes atomic.Int64 // bytes that wait before and in TLS handshakes
	slow           atomic.Int64 // connections closed because they fell off their log
	outbound       atomic.Int64 // bytes queued for single connections
	shedding       atomic.Bool  // a search for the largest debtor is under way
	skips          atomic.Int64 // times that a connection skipped what it fell off
	rejected       atomic.Int64 // connections beyond the limits
	panics         atomic.Int64 // of handlers and callbacks

	lastMisuse atomic.Int64 // the tick in which the user's last mistake was logged

	// mu guards the following fields.
	mu           sync.Mutex
	listeners    []io.Closer
	notListening bool // nothing is listened to any more
	stopped      bool
}

// ErrClosed is returned by [Engine.Listen] after [Engine.StopListening] or
// [Engine.Shutdown], and by a second Shutdown.
var ErrClosed = errors.New("engine: shut down")

// New starts an engine's loops. It has nothing to serve before [Engine.Listen], and runs
// until [Engine.Shutdown]. A value of the configuration that is negative is an error.
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
	if cfg.Compress {
		e.deflate = newDeflate(cfg.MaxMessage)
	}
	e.stalls.init(&e.cfg)
	e.handshakes = newHandshakes(e)
	e.capacity.init(e.resumeReads)
	if err := e.startLoops(); err != nil {
		return nil, err
	}
	e.goroutines.Go(e.stalls.run)
	e.handoff = newHandoff(&e.cfg, e.callVital)
	e.goroutines.Go(e.handoff.run)
	return e, nil
}

// ListenOptions are the options of a listener.
type ListenOptions struct {
	// Proxy means that each connection begins with a PROXY protocol header, version 1
	// or 2, that names the client. With TLS it comes before the handshake, in the clear.
	Proxy bool
	// TLS is how the connections speak TLS; nil is not at all. Its callbacks run on
	// goroutines of handshakes, of which as many compute at a time as there are
	// processors: one that blocks holds up others. A certificate that is to be replaced while the engine
	// runs comes from GetCertificate or GetConfigForClient. HTTP/2 is not offered, whatever
	// NextProtos has, for WebSocket needs HTTP/1.1; a configuration that GetConfigForClient
	// returns is used as it is, so its NextProtos must not have "h2".
	TLS *tls.Config
	// Tag is passed to the handler with each request ([Request.Tag], [TagFromContext]).
	Tag any
}

// Listen begins to serve the connections that arrive at a listener, and returns at once:
// it does not block as [http.Serve] does. The listener is the engine's from now on, which
// closes it; an engine may have any number of them, each given once. The error is
// [ErrClosed] after the engine has stopped listening, or says what is wrong with the
// listener, which then is still the caller's. Listen may be called from any goroutine.
//
// It must be a TCP or Unix listener itself: what wraps one hides the socket from the
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
		// A reply is wanted whole, and as soon as possible in one write.
		options.TLS.DynamicRecordSizingDisabled = true
		options.TLS.NextProtos = dropHTTP2(options.TLS.NextProtos)
	}
	socket, ok := ln.(interface{ File() (*os.File, error) })
	switch {
	case !ok:
		return fmt.Errorf("engine: a %T cannot be served: give a TCP or Unix listener, and ListenOptions.TLS for TLS", ln)
	case slices.ContainsFunc(e.listeners, func(l io.Closer) bool { return reflect.ValueOf(l).Comparable() && l == io.Closer(ln) }):
		return errors.New("engine: this listener is served already")
	}
	file, err := socket.File() // shares the socket with ln, whose closing may remove a path
	if err != nil {
		return fmt.Errorf("engine: the listener cannot be served: %w", err)
	}
	if err := e.acceptor.listen(int(file.Fd()), &options); err != nil {
		file.Close()
		return fmt.Errorf("engine: the listener cannot be served: %w", err)
	}
	e.listeners = append(e.listeners, file, ln)
	return nil
}

// now is the engine's coarse clock.
func (e *Engine) now() tick { return tick(time.Since(e.start)/tickLength) + 1 }

// elapsed is the time since the engine started. It is never 0 for a frame's due time.
func (e *Engine) elapsed() time.Duration { return time.Since(e.start) }

// Each calls visit for every connection that is open, on the caller's goroutine,
// where it may take its time; a connection may have ended meanwhile. Those that
// come while Each runs may be left out. It waits for a turn of each loop, so it
// must not be called from a [Handler], which would wait for itself.
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
