package wsclient_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/wsclient"
)

// driver drives a client by calls, and prints what it shows: see conformance/README.md. It judges nothing.
type driver struct {
	naming sync.Mutex // a command gets its name

	mu     sync.Mutex // guards the following fields
	out    io.Writer
	token  string
	closed bool
	names  map[*wsclient.Command]string
	shown  map[*wsclient.Command]string // the last state that was printed

	client *wsclient.Client
	subs   map[string]*wsclient.Subscription
	ctx    context.Context
	cancel context.CancelFunc
	ended  *sync.WaitGroup
}

// driverCall is a call. Numbers of args keep their digits.
type driverCall struct {
	Call, As, URL, What string
	Token               *string
	TokenBy             string `json:"token_by"`
	Consumer            string
	CommandString       string `json:"command_string"`
	CommandID           string `json:"command_id"`
	TimeoutMS           int    `json:"timeout_ms"`
	ExpiresMS           int    `json:"expires_ms"`
	Filter              json.RawMessage
	Snapshot, Ordered   bool
	ThrottleMS          int `json:"throttle_ms"`
	Notices, Rooms      []string
	Actor, Keyword      string
	Args                map[string]json.RawMessage
}

// runDriver is the driver's program.
func runDriver(calls io.Reader, events io.Writer) error {
	d := &driver{out: events}
	d.print("ready", map[string]any{"client": "wsclient", "without": []string{"wait_for"}})
	lines := bufio.NewScanner(calls)
	for lines.Scan() {
		var c driverCall
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		if err := d.do(c); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (d *driver) print(event string, members map[string]any) {
	m := map[string]any{"event": event}
	for name, value := range members {
		m[name] = value
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_, _ = d.out.Write(append(text, '\n'))
}

func (d *driver) do(c driverCall) error {
	switch c.Call {
	case "connect":
		return d.connect(c)
	case "token":
		d.mu.Lock()
		d.token = *c.Token
		d.mu.Unlock()
		d.print("token", nil)
	case "renew":
		d.ended.Go(func() { _ = d.client.Renew(d.ctx) })
	case "send":
		d.send(c)
	case "subscribe":
		d.ended.Go(func() { d.subscribe(c) })
	case "unsubscribe":
		d.mu.Lock()
		s := d.subs[c.As]
		d.mu.Unlock()
		s.Close()
	case "ask":
		d.ended.Go(func() { d.ask(c) })
	case "close":
		d.cancel()
		_ = d.client.Close()
		d.ended.Wait()
		d.print("closed", nil)
	}
	return nil
}

func (d *driver) connect(c driverCall) (err error) {
	d.names, d.shown, d.subs, d.ended = map[*wsclient.Command]string{}, map[*wsclient.Command]string{}, map[string]*wsclient.Subscription{}, &sync.WaitGroup{}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	config := wsclient.Config{
		URL: c.URL, MinDelay: 10 * time.Millisecond, MaxDelay: 50 * time.Millisecond,
		OnState: func(state wsclient.State, why error) {
			shown := map[wsclient.State]string{wsclient.Connected: "open", wsclient.Closed: "closed", wsclient.Connecting: "closed"}[state]
			d.print("state", map[string]any{"state": shown})
			if refused, ok := errors.AsType[*wsclient.RefusedError](why); ok && state == wsclient.Closed {
				d.print("unauthorized", map[string]any{"code": nil, "status": refused.Status})
			}
		},
		OnBroker: func(state, _ string) { d.print("broker", map[string]any{"state": state}) },
		OnAccess: func(a wsclient.Access) { d.print("access", map[string]any{"name": a.Name, "changed": a.Changed}) },
		OnCommand: func(command *wsclient.Command, state wsclient.CommandState) {
			d.naming.Lock()
			defer d.naming.Unlock()
			d.show(command, state)
		},
	}
	if c.Token != nil {
		d.token = *c.Token
		config.TokenByMessage = c.TokenBy == "message"
		config.Token = func(context.Context) (string, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.token, nil
		}
	}
	d.client, err = wsclient.Open(config)
	return err
}

func (d *driver) send(c driverCall) {
	d.naming.Lock() // its states are printed when it has a name, after the first one
	defer d.naming.Unlock()
	command := d.client.Send(d.ctx, c.Consumer, c.CommandString, wsclient.SendOptions{
		ID: c.CommandID, Timeout: time.Duration(c.TimeoutMS) * time.Millisecond, Expires: time.Duration(c.ExpiresMS) * time.Millisecond,
	})
	d.mu.Lock()
	d.names[command] = c.As
	d.mu.Unlock()
	if command.State() != wsclient.Rejected {
		d.show(command, wsclient.Sent)
	}
	d.ended.Go(func() {
		for r := range command.Replies(d.ctx) {
			d.print("command_reply", map[string]any{"as": c.As, "seq": r.Seq, "message_code": r.Code, "body": r.Body})
		}
	})
}

// show prints a state once.
func (d *driver) show(command *wsclient.Command, state wsclient.CommandState) {
	text := strings.ToLower(string(state))
	d.mu.Lock()
	as, known := d.names[command]
	old := d.shown[command] == text
	if known {
		d.shown[command] = text
	}
	d.mu.Unlock()
	if !known || old {
		return
	}
	var code any
	if _, err := command.Result(); err != nil {
		if failed, ok := errors.AsType[*wsclient.CommandError](err); ok && failed.Code != "" {
			code = failed.Code
		}
	}
	d.print("command", map[string]any{"as": as, "state": text, "code": code})
}

func (d *driver) subscribe(c driverCall) {
	o := wsclient.SubscribeOptions{Notices: c.Notices, Rooms: c.Rooms, Snapshot: c.Snapshot, Ordered: c.Ordered, Throttle: time.Duration(c.ThrottleMS) * time.Millisecond}
	if o.NoReplies = len(c.Filter) == 0 || string(c.Filter) == "null"; !o.NoReplies {
		o.RawFilter = c.Filter
	}
	s, err := d.client.Subscribe(d.ctx, o)
	if err != nil {
		d.refused(c.As, err)
		return
	}
	d.mu.Lock()
	d.subs[c.As] = s
	d.mu.Unlock()
	d.print("subscribed", map[string]any{"on": c.As})
	for event, err := range s.Events(d.ctx) {
		if err != nil {
			d.refused(c.As, err)
			return
		}
		d.event(c.As, event)
	}
}

func (d *driver) refused(as string, err error) {
	if refused, ok := errors.AsType[*wsclient.RequestError](err); ok {
		d.print("refused", map[string]any{"on": as, "code": refused.Code})
	}
}

func (d *driver) event(on string, event wsclient.Event) {
	switch e := event.(type) {
	case *wsclient.Reply:
		d.print("reply", map[string]any{"on": on, "seq": e.Seq, "sender": e.Sender, "message_code": e.Code, "body": e.Body})
		values := map[string]any{}
		for name, value := range e.Keywords() {
			values[e.Sender+"."+name] = value
		}
		d.print("values", map[string]any{"on": on, "values": values})
	case *wsclient.Snapshot:
		values := map[string]any{}
		for actor, known := range e.Actors {
			for name, value := range known.Keywords {
				values[actor+"."+name] = value.Raw
			}
		}
		d.print("values", map[string]any{"on": on, "values": values})
	case wsclient.Gap:
		var seconds any
		if !e.From.IsZero() {
			seconds = e.To.Sub(e.From).Seconds()
		}
		d.print("gap", map[string]any{"seconds": seconds})
	case wsclient.Dropped:
		d.print("dropped", map[string]any{"count": e.Count})
	case wsclient.Notice:
		d.print("notice", map[string]any{"notice": e.Raw})
	case wsclient.RoomMessage:
		d.print("message", map[string]any{"on": on, "body": json.RawMessage(e.Data)})
	}
}

func (d *driver) ask(c driverCall) {
	request := map[string]any{"op": c.What}
	for name, value := range c.Args {
		request[name] = value
	}
	raw, err := d.client.Request(d.ctx, request)
	if err != nil {
		var code any
		if refused, ok := errors.AsType[*wsclient.RequestError](err); ok {
			code = refused.Code
		}
		d.print("error", map[string]any{"as": c.As, "code": code})
		return
	}
	var value any = raw
	if slices.Contains([]string{"ack", "publish"}, c.What) {
		value = map[string]any{}
	}
	if c.What == "log" {
		value = seqsOf(raw)
	}
	d.print("answer", map[string]any{"as": c.As, "value": value})
}

func seqsOf(raw json.RawMessage) any {
	var page struct {
		More    bool
		Next    *uint64
		Entries []struct{ Seq *uint64 }
	}
	if err := json.Unmarshal(raw, &page); err != nil {
		return fmt.Sprint(err)
	}
	var seqs []uint64
	for _, entry := range page.Entries {
		if entry.Seq != nil {
			seqs = append(seqs, *entry.Seq)
		}
	}
	return map[string]any{"seqs": seqs, "more": page.More, "next": page.Next}
}
