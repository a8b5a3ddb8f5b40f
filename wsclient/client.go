package wsclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// State is whether a client is connected.
type State string

// The states of a client.
const (
	Connecting State = "connecting" // also between two attempts
	Connected  State = "connected"  // the server has greeted the client
	Closed     State = "closed"     // by Close, or because the server does not let the client in
)

// Config says how to connect. Only URL is needed.
type Config struct {
	URL string // ws:// or wss://; a query may hold a credential

	// Token returns a credential. It is called before every attempt to connect, and when the bridge says that the login
	// expires. A token travels in the header Authorization, never in the URL. "" is none.
	Token func(ctx context.Context) (string, error)
	// TokenByMessage makes the token travel in the first message instead, for a proxy that removes the header.
	TokenByMessage bool
	// Ticket is Token for tickets, which are valid once.
	Ticket func(ctx context.Context) (string, error)

	TLS        *tls.Config  // of wss; not used with an HTTPClient
	Header     http.Header  // of the handshake, beside what the client adds
	Origin     string       // the header Origin, for a bridge that asks programs for one
	HTTPClient *http.Client // makes the handshake

	MinDelay       time.Duration // before the first attempt to connect again; default 200 ms
	MaxDelay       time.Duration // default 10 s
	ConnectTimeout time.Duration // of an attempt, with the server's hello; default 10 s
	PingAfter      time.Duration // silence after which the server is asked for a sign of life, and for which it may owe one; default 10 s
	// FailFast makes the first attempt the only one until the client was connected once.
	FailFast bool

	Logger *slog.Logger // default: logs nothing

	// The functions below are called one at a time, in order. They may call methods of the client.

	OnState   func(state State, why error)             // why is nil for Connected
	OnBroker  func(state, reason string)               // the bridge's link to the broker: up, blocked, no_replies or down
	OnAccess  func(access Access)                      // who this client is, what it may do, when its login expires
	OnCommand func(command *Command, now CommandState) // a command has changed its state
}

// Hello says what the server is.
type Hello struct {
	Protocol     string // "v1", or "plain" for CLU's own server
	Session      string // this client's id
	Name         string // of the bridge
	Version      string
	Epoch        string
	Seq          *uint64 // of the last reply before those that follow; nil if it is not known
	Broker       string  // the bridge's link to the broker now: up, blocked, stalled, no_replies or down
	Capabilities []string
	Time         time.Time // by the bridge's clock
	Access       *Access   // nil without access control
}

// Client is a connection to a bridge that is made again whenever it is lost. Its methods may be called by many goroutines.
type Client struct {
	cfg    Config
	target *url.URL
	http   *http.Client
	log    *slog.Logger
	hooks  hooks

	stop   context.CancelFunc
	done   chan struct{} // closed when all goroutines have ended
	ending chan struct{} // closed when the client begins to end
	asking chan struct{} // a token for each question that may be asked

	mu        sync.Mutex // guards the following fields
	state     State
	changed   chan struct{} // closed and replaced when state changes
	why       error         // of the last lost connection or failed attempt
	session   *session      // of the connection; nil without one
	hello     Hello         // of the last connection
	greeted   bool          // there was one
	clock     clock
	position  Position // the furthest known place, of this epoch
	placed    bool     // position is known
	lastHeard time.Time
	subs      []*Subscription // in the order of their making
	own       *ownReplies
	lastID    uint64
}

// Dial connects, and returns once the server has greeted the client. While the server cannot be reached, it goes on
// trying until the context ends, unless FailFast is set. It gives up with a [*RefusedError] if the server does not let
// the client in. The context is for Dial alone.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	c, err := Open(cfg)
	if err != nil {
		return nil, err
	}
	if err := c.awaitConnected(ctx); err != nil {
		if last := c.lastError(); last != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w; the last attempt: %w", err, last)
		}
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// Open returns a client that connects in the background. The error is about the configuration.
func Open(cfg Config) (*Client, error) {
	target, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Token != nil && cfg.Ticket != nil {
		return nil, errors.New("give a Token or a Ticket, not both")
	}
	setDefault(&cfg.MinDelay, 200*time.Millisecond)
	setDefault(&cfg.MaxDelay, 10*time.Second)
	setDefault(&cfg.ConnectTimeout, 10*time.Second)
	setDefault(&cfg.PingAfter, 10*time.Second)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Client{
		cfg: cfg, target: target, http: cfg.HTTPClient, log: cfg.Logger, stop: stop,
		done: make(chan struct{}), ending: make(chan struct{}), asking: make(chan struct{}, maxRequests),
		state: Connecting, changed: make(chan struct{}),
	}
	c.own = newOwnReplies(c)
	var owned *http.Transport
	if c.http == nil {
		owned = http.DefaultTransport.(*http.Transport).Clone()
		owned.TLSClientConfig = cfg.TLS
		owned.ForceAttemptHTTP2, owned.TLSNextProto = false, map[string]func(string, *tls.Conn) http.RoundTripper{} // WebSocket is HTTP/1.1
		c.http = &http.Client{Transport: owned}
	}
	go func() {
		defer close(c.done)
		defer stop()
		defer c.hooks.finish()
		if owned != nil {
			defer owned.CloseIdleConnections()
		}
		c.run(ctx)
	}()
	return c, nil
}

// setDefault sets a duration that is not given.
func setDefault(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}

// parseURL reads the URL of a bridge, and adds that replies are to come only once they are asked for.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the URL is not valid: %w", err)
	}
	switch u.Scheme {
	case "ws", "wss":
	case "http", "https":
		u.Scheme = "ws" + strings.TrimPrefix(u.Scheme, "http")
	default:
		return nil, fmt.Errorf("the URL %q begins with neither ws:// nor wss://", u.Redacted())
	}
	if u.Host == "" {
		return nil, fmt.Errorf("the URL %q names no host", u.Redacted())
	}
	if u.Path == "" {
		u.Path = "/"
	}
	u.Fragment = ""
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "silent=1"
	return u, nil
}

// closeGrace is how long the server may take to answer a goodbye.
const closeGrace = 500 * time.Millisecond

// Close closes the connection, and waits until everything has ended. Commands in flight become Unknown.
func (c *Client) Close() error {
	c.mu.Lock()
	s := c.session
	c.mu.Unlock()
	c.finish(ErrClosed)
	farewell := make(chan struct{})
	go func() {
		defer close(farewell)
		if s != nil {
			_ = s.conn.Close(websocket.StatusNormalClosure, "")
		}
	}()
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-farewell:
	case <-grace.C:
	}
	c.stop()
	<-farewell
	<-c.done
	return nil
}

// Done is closed when the client has ended: by Close, or because the server does not let it in.
func (c *Client) Done() <-chan struct{} { return c.done }

// finish ends the client, once.
func (c *Client) finish(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == Closed {
		return
	}
	c.why = why
	if c.session != nil {
		c.endSession(c.session, why)
	}
	c.setState(Closed, why)
	for _, s := range c.subs {
		s.end(why)
	}
	c.subs = nil
	close(c.ending)
}

// State returns whether the client is connected.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Connected reports whether the client is connected.
func (c *Client) Connected() bool { return c.State() == Connected }

// Hello returns what the server last said about itself, and whether there was anything yet.
func (c *Client) Hello() (Hello, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hello, c.greeted
}

// Has reports whether the server of the connection has a capability, see docs/protocol.md.
func (c *Client) Has(capability string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.has(capability)
}

// Now returns the time by the bridge's clock, or a moment earlier.
func (c *Client) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock.now()
}

// Age returns how long ago the bridge heard something, by the bridge's clock, or a moment less. It is 0 for a zero time.
func (c *Client) Age(heard time.Time) time.Duration {
	if heard.IsZero() {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(0, c.clock.latest().Sub(heard))
}

// Position returns the furthest place among the bridge's replies that this client knows of, and whether it knows one.
func (c *Client) Position() (Position, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.position, c.placed
}

func (c *Client) lastError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// setState changes the state, with the lock held.
func (c *Client) setState(state State, why error) {
	if c.state == state {
		return
	}
	c.state = state
	close(c.changed)
	c.changed = make(chan struct{})
	if hook := c.cfg.OnState; hook != nil {
		c.hooks.add(func() { hook(state, why) })
	}
}

// awaitConnected waits until the client is connected, or has ended.
func (c *Client) awaitConnected(ctx context.Context) error {
	for {
		c.mu.Lock()
		state, why, changed := c.state, c.why, c.changed
		c.mu.Unlock()
		switch state {
		case Connected:
			return nil
		case Closed:
			return why
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
