package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/wsclient"
)

// DialOptions say which bridge [Dial] connects to.
type DialOptions struct {
	URL       string
	Token     func() (string, error) // is called for each connection, and before a login expires; nil: none
	UserAgent string
	Silence   time.Duration // after which the bridge is asked for a sign of life; 0: as usual
	// HTTPClient makes the handshake; nil is a usual one.
	HTTPClient *http.Client
}

// Check returns what is wrong with the options.
func (o DialOptions) Check() error {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss":
		return errors.New("write the URL of the bridge as ws://HOST:PORT, or wss://HOST for TLS")
	case u.User != nil:
		return errors.New("the URL has a password; put a token into CLU_WS_TOKEN, or a file that --token-file names")
	}
	return nil
}

// lostGrace is how long a command's end is still waited for after its connection was lost: the bridge keeps the
// replies for a client that comes back.
const lostGrace = 5 * time.Second

// maxDelay is the longest time between two attempts to connect again: somebody looks at the terminal.
const maxDelay = 2 * time.Second

// webSocket is a [Link] over a WebSocket.
type webSocket struct {
	client *wsclient.Client

	mu       sync.Mutex // guards the following fields
	watchers map[int]func(LinkState)
	next     int
	away     bool // there is no connection to the bridge
	deaf     bool // the bridge hears no actors
	lost     bool // one of the two, as the watchers were told
}

// Dial connects to a bridge. If that fails, it does not try again.
func Dial(ctx context.Context, o DialOptions) (Link, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	w := &webSocket{watchers: map[int]func(LinkState){}}
	config := wsclient.Config{
		URL: o.URL, FailFast: true, MaxDelay: maxDelay, PingAfter: o.Silence, Header: http.Header{"User-Agent": {o.UserAgent}},
		HTTPClient: o.HTTPClient, OnState: w.stateChanged, OnBroker: w.brokerChanged,
	}
	if o.Token != nil {
		config.Token = func(context.Context) (string, error) { return o.Token() }
	}
	client, err := wsclient.Dial(ctx, config)
	if err != nil {
		var refused *wsclient.RefusedError
		if errors.As(err, &refused) {
			return nil, err
		}
		var network *net.OpError
		switch {
		case ctx.Err() != nil: // it was not waited for
			return nil, ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			err = errors.New("it does not answer")
		case errors.As(err, &network):
			err = network // the layers above it say nothing more
		}
		return nil, exit(ExitNotSent, "there is no bridge at %s (--url, or the variable CLU_WS_BRIDGE, names another one): %w", o.URL, err)
	}
	w.client = client
	return w, nil
}

func (w *webSocket) Hello() Hello {
	h, _ := w.client.Hello()
	hello := Hello{Session: h.Session, Name: h.Name, Version: h.Version, Time: h.Time, Epoch: h.Epoch, Seq: h.Seq, Broker: h.Broker}
	if !w.client.Connected() {
		hello.Broker = "down" // nothing is heard
	}
	return hello
}

func (w *webSocket) Now() time.Time { return w.client.Now() }

func (w *webSocket) Close() error { return w.client.Close() }

func (w *webSocket) Ask(ctx context.Context, op string, fields map[string]any) (json.RawMessage, error) {
	request := map[string]any{"op": op}
	for name, value := range fields {
		request[name] = value
	}
	raw, err := w.client.Request(ctx, request)
	return raw, fromClient(err)
}

// fromClient returns an error of the client as one of this package.
func fromClient(err error) error {
	var refused *wsclient.RequestError
	if errors.As(err, &refused) {
		return &BridgeError{refused.Code, refused.Message}
	}
	return err
}

func (w *webSocket) Send(ctx context.Context, c Command, started func(id string), heard func(*Reply)) Outcome {
	parent := ctx
	if c.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, c.Timeout)
		defer stop()
		c.Expires = min(c.Expires, c.Timeout) // nobody waits for it later
	}
	command := w.client.Send(ctx, c.Consumer, c.String, wsclient.SendOptions{ID: c.ID, Expires: c.Expires})
	if command.State() != wsclient.Rejected {
		started(command.ID)
	}
	within, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	d := &doubt{giveUp: giveUp}
	defer w.doubts(d, c.Told)()
	follow(within, command, func(r *wsclient.Reply) { heard(fromReply(r)) })
	if n := command.LeftOut(); n > 0 && c.Told != nil {
		c.Told(Dropped{n})
	}
	o := outcomeOf(ctx, command)
	switch {
	case o.State != StateUnknown || o.Message != "":
	case ctx.Err() != nil && parent.Err() == nil:
		o.State = StateTimeout
	case ctx.Err() == nil && within.Err() != nil:
		o.Message = context.Cause(within).Error()
	}
	return o
}

// follow calls heard with the replies to a command until that has ended, also if its connection was lost and replies come
// again.
func follow(ctx context.Context, command *wsclient.Command, heard func(*wsclient.Reply)) {
	var last *wsclient.Reply
	for again := true; again; again = goesOn(ctx, command) {
		for r := range command.Replies(ctx) { // from the first one on
			if last == nil || r.Epoch != last.Epoch || r.Seq > last.Seq {
				last = r
				heard(r)
			}
		}
	}
}

// goesOn reports whether more is heard of a command whose connection was lost, within lostGrace.
func goesOn(ctx context.Context, command *wsclient.Command) bool {
	const look = 20 * time.Millisecond
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	for left := lostGrace; left > 0 && command.State() == wsclient.Unknown; left -= look {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return false
		}
		if command.State() != wsclient.Unknown {
			return true
		}
	}
	return false
}

// doubts tells of the link until the returned function is called. What a gap means for a command, the client says itself.
func (w *webSocket) doubts(d *doubt, told func(Event)) (stop func()) {
	unwatch := w.watch(func(s LinkState) {
		d.event(s)
		if told != nil {
			told(s)
		}
	})
	return func() {
		unwatch()
		d.end()
	}
}

func errorOf(command *wsclient.Command) error {
	_, err := command.Result()
	return err
}

// outcomeOf returns how a command has ended for its sender.
func outcomeOf(ctx context.Context, command *wsclient.Command) Outcome {
	err := errorOf(command)
	o := Outcome{ID: command.ID, State: StateUnknown}
	var failure *wsclient.CommandError
	if errors.As(err, &failure) {
		o.Code, o.Message = failure.Code, failure.Message
	}
	switch {
	case err == nil:
		o.State = StateDone
	case errors.Is(err, wsclient.ErrNobody):
		o.State = StateNobody
	case errors.Is(err, wsclient.ErrFailed):
		o.State = StateFailed
	case errors.Is(err, wsclient.ErrRejected):
		o.State = StateRejected
	case errors.Is(err, wsclient.ErrTimeout):
		o.State = StateTimeout
	case command.State().Active(): // it was not waited for
		o.Message = ""
	}
	return o
}

func fromReply(r *wsclient.Reply) *Reply {
	return &Reply{Raw: r.Envelope, Sender: r.Sender, Commander: r.CommanderID, CommandID: r.CommandID, Code: r.Code,
		Internal: r.Internal, Body: r.Body, Seq: r.Seq, Epoch: r.Epoch, Heard: r.Heard}
}
