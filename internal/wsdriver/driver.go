package wsdriver

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/wsclient"
)

// call is a call with all members that any of them has.
type call struct {
	Call          string
	URL           string
	Token         *string
	TokenBy       string `json:"token_by"`
	As            string
	Consumer      string
	CommandString string `json:"command_string"`
	CommandID     string `json:"command_id"`
	TimeoutMS     int    `json:"timeout_ms"`
	ExpiresMS     int    `json:"expires_ms"`
	SilenceMS     int    `json:"silence_ms"`
	Filter        json.RawMessage
	Snapshot      bool
	ThrottleMS    int `json:"throttle_ms"`
	Ordered       bool
	Notices       []string
	Rooms         []string
	Actor         string
	Keyword       string
	Equals        json.RawMessage
	What          string
	Args          map[string]any
}

// Run drives clients until the calls end.
func Run(calls io.Reader, events io.Writer) error {
	d := &driver{out: events, opened: make(chan struct{}, 1)}
	d.print("ready", fields{"client": "wsclient", "without": []string{}})
	lines := bufio.NewScanner(calls)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return fmt.Errorf("a call is not understood: %w", err)
		}
		if err := d.call(c); err != nil {
			return err
		}
	}
	d.close()
	return lines.Err()
}

// driver has the client of the present case, and what its calls have named.
type driver struct {
	out    io.Writer
	client *wsclient.Client
	ctx    context.Context
	stop   context.CancelFunc
	asked  sync.WaitGroup // what waits for the client
	opened chan struct{}  // has a token after a connection was opened

	mu       sync.Mutex // guards the following fields, and the output
	token    *string
	commands map[*wsclient.Command]string
	replies  map[*wsclient.Command]*shownReplies
	subs     map[string]*wsclient.Subscription
	stops    map[string]context.CancelFunc // end them
	gaps     map[wsclient.Gap]bool         // those that were printed: each subscription has it
}

type fields map[string]any

// print writes an event.
func (d *driver) print(event string, f fields) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.printLocked(event, f)
}

func (d *driver) printLocked(event string, f fields) {
	if f == nil {
		f = fields{}
	}
	f["event"] = event
	text, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	_, _ = d.out.Write(append(text, '\n')) // the reader is gone: the calls end, too
}

// call does what a call says.
func (d *driver) call(c call) error {
	switch c.Call {
	case "connect":
		return d.connect(c)
	case "token":
		d.mu.Lock()
		d.token = c.Token
		d.mu.Unlock()
		d.print("token", nil)
	case "send":
		d.send(c)
	case "subscribe":
		ctx, stop := context.WithCancel(d.ctx)
		d.mu.Lock()
		d.stops[c.As] = stop
		d.mu.Unlock()
		d.asked.Go(func() { d.subscribe(ctx, c) })
	case "unsubscribe":
		d.mu.Lock()
		sub, stop := d.subs[c.As], d.stops[c.As]
		d.mu.Unlock()
		if sub != nil {
			sub.Close()
		}
		stop() // also before the bridge has answered
	case "wait_for":
		d.asked.Go(func() { d.waitFor(c) })
	case "ask":
		d.asked.Go(func() { d.ask(c) })
	case "renew":
		d.asked.Go(func() { _ = d.client.Renew(d.ctx) })
	case "close":
		d.close()
		d.print("closed", nil)
	default:
		return fmt.Errorf("there is no call %q", c.Call)
	}
	return nil
}

// connect makes a new client.
func (d *driver) connect(c call) error {
	d.close()
	d.ctx, d.stop = context.WithCancel(context.Background())
	d.mu.Lock()
	d.token, d.commands, d.subs, d.stops = c.Token, map[*wsclient.Command]string{}, map[string]*wsclient.Subscription{}, map[string]context.CancelFunc{}
	d.replies = map[*wsclient.Command]*shownReplies{}
	d.gaps = map[wsclient.Gap]bool{}
	d.mu.Unlock()
	cfg := wsclient.Config{
		URL: c.URL, MinDelay: 10 * time.Millisecond, MaxDelay: 50 * time.Millisecond, PingAfter: ms(c.SilenceMS),
		TokenByMessage: c.TokenBy == "message",
		OnState:        d.state,
		OnBroker:       func(state, _ string) { d.print("broker", fields{"state": state}) },
		OnAccess:       func(a wsclient.Access) { d.print("access", fields{"name": a.Name, "changed": a.Changed}) },
		OnCommand:      d.commandState,
	}
	if c.Token != nil {
		cfg.Token = func(context.Context) (string, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.token == nil {
				return "", nil
			}
			return *d.token, nil
		}
	}
	client, err := wsclient.Open(cfg)
	d.client = client
	return err
}

func (d *driver) close() {
	if d.client == nil {
		return
	}
	_ = d.client.Close()
	d.stop()
	d.asked.Wait()
	d.client = nil
}

func (d *driver) state(state wsclient.State, why error) {
	name := string(state)
	if state == wsclient.Connected {
		name = "open"
		select {
		case d.opened <- struct{}{}:
		default:
		}
	}
	if state == wsclient.Connecting { // the connection was lost, and an attempt to make another one follows
		d.print("state", fields{"state": wsclient.Closed})
	}
	d.print("state", fields{"state": name})
	if refused, ok := errors.AsType[*wsclient.RefusedError](why); ok && state == wsclient.Closed {
		d.print("unauthorized", fields{"code": refused.Status})
	}
}

// greetingWait is how long a command of a case waits for the hello, which the bridge has just sent.
const greetingWait = 300 * time.Millisecond

func (d *driver) send(c call) {
	d.awaitHello()
	d.mu.Lock()
	defer d.mu.Unlock()
	command := d.client.Send(d.ctx, c.Consumer, c.CommandString, wsclient.SendOptions{
		ID: c.CommandID, Timeout: ms(c.TimeoutMS), Expires: ms(c.ExpiresMS),
	})
	d.commands[command] = c.As
	if command.State() != wsclient.Rejected {
		d.printLocked("command", fields{"as": c.As, "state": wsclient.Sent, "code": nil})
	}
	shown := &shownReplies{}
	d.replies[command] = shown
	d.asked.Go(func() { d.showReplies(d.ctx, command, c.As, shown) })
}

// shownReplies is how many replies to a command were printed.
type shownReplies struct {
	mu sync.Mutex // guards the following field
	n  int
}

// showReplies prints the replies to a command that were not printed, until it has ended, which may be for a while only.
func (d *driver) showReplies(ctx context.Context, command *wsclient.Command, as string, shown *shownReplies) {
	shown.mu.Lock()
	defer shown.mu.Unlock()
	n := 0
	for r := range command.Replies(ctx) {
		if n++; n > shown.n {
			d.print("command_reply", fields{"as": as, "seq": r.Seq, "message_code": r.Code, "body": r.Body})
			shown.n = n
		}
	}
}

// awaitHello waits until the client is connected, for a moment: a case goes on once the bridge has greeted the client.
func (d *driver) awaitHello() {
	late := time.NewTimer(greetingWait)
	defer late.Stop()
	for !d.client.Connected() {
		select {
		case <-d.opened:
		case <-late.C:
			return
		}
	}
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// commandState prints the state of a command, with the code of the bridge's error.
func (d *driver) commandState(command *wsclient.Command, state wsclient.CommandState) {
	var code any
	_, err := command.Result()
	if e, ok := errors.AsType[*wsclient.CommandError](err); ok && e.State == state && e.Code != "" {
		code = e.Code
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if as, ok := d.commands[command]; ok {
		if shown := d.replies[command]; shown != nil && state != wsclient.Unknown {
			go d.showReplies(d.ctx, command, as, shown) // those that come after all
		}
		d.printLocked("command", fields{"as": as, "state": state, "code": code})
	}
}

func (d *driver) subscribe(ctx context.Context, c call) {
	o := wsclient.SubscribeOptions{
		RawFilter: c.Filter, NoReplies: string(c.Filter) == "null" || c.Filter == nil, Snapshot: c.Snapshot,
		Throttle: ms(c.ThrottleMS), Ordered: c.Ordered, Notices: c.Notices, Rooms: c.Rooms,
	}
	sub, err := d.client.Subscribe(ctx, o)
	if err != nil {
		if code := codeOf(err); code != nil {
			d.print("refused", fields{"on": c.As, "code": code})
		}
		return
	}
	defer sub.Close()
	d.mu.Lock()
	d.subs[c.As] = sub
	d.printLocked("subscribed", fields{"on": c.As})
	d.mu.Unlock()
	for e, err := range sub.Events(ctx) {
		if err != nil {
			if code := codeOf(err); code != nil {
				d.print("refused", fields{"on": c.As, "code": code})
			}
			return
		}
		d.event(c.As, e)
	}
}

// codeOf returns the code of the bridge's refusal; nil if it is another error.
func codeOf(err error) any {
	if e, ok := errors.AsType[*wsclient.RequestError](err); ok {
		return e.Code
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "timeout"
	}
	return nil
}

// event prints what a subscription brings.
func (d *driver) event(on string, e wsclient.Event) {
	switch e := e.(type) {
	case *wsclient.Reply:
		d.print("reply", fields{"on": on, "seq": e.Seq, "sender": e.Sender, "message_code": e.Code, "body": e.Body})
		values := fields{}
		for name, value := range e.Keywords() {
			values[e.Sender+"."+name] = value
		}
		d.print("values", fields{"on": on, "values": values})
	case *wsclient.Snapshot:
		values := fields{}
		for actor, a := range e.Actors {
			for name, value := range a.Keywords {
				values[actor+"."+name] = value.Raw
			}
		}
		d.print("values", fields{"on": on, "values": values})
	case wsclient.Gap:
		d.gap(e)
	case wsclient.Dropped:
		d.print("dropped", fields{"count": e.Count})
	case wsclient.Notice:
		d.print("notice", fields{"notice": e.Raw})
	case wsclient.RoomMessage:
		d.print("message", fields{"on": on, "body": json.RawMessage(e.Data)})
	}
}

// gap prints a gap once: every subscription has it.
func (d *driver) gap(g wsclient.Gap) {
	d.mu.Lock()
	defer d.mu.Unlock()
	why := g.Reason
	g.Reason = ""
	if d.gaps[g] {
		return
	}
	d.gaps[g] = true
	var seconds any
	if !g.From.IsZero() {
		seconds = g.To.Sub(g.From).Seconds()
	}
	d.printLocked("gap", fields{"seconds": seconds, "from": g.From, "to": g.To, "reason": why})
}
