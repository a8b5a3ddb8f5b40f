package bridge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/inorder"
)

// An application may decide about single commands and subscriptions ("ask" of the callback), in
// addition to the grants. It takes its time, so the client's later messages wait their turn:
//
//	message ──► dispatchMessage ──► allowed by the grants ──► askQueue ──► carry on, in order
//	                 ▲                                           │
//	                 └────────── messages that came meanwhile ◄──┘

// maxAsking is how many requests of all clients are being decided at a time.
const maxAsking = 1024

// The ops about which an application may decide.
const (
	opCommand   = "command"
	opSubscribe = "subscribe"
)

// asks reports whether an application decides about an op, too.
func (b *Bridge) asks(op string) bool { return b.access != nil && b.access.Asks(op) }

// afterAsked defers a client's message behind one about which an application decides. It
// returns false if there is none.
func (b *Bridge) afterAsked(conn engine.Conn, c *client, in incoming) bool {
	if c.extra == nil || in.entry != nil || c.extra.asks.Empty() {
		return false
	}
	if in.entry = c.extra.asks.Add(len(in.payload)); in.entry == nil {
		conn.Close(policyViolation, hub.ErrTooManyRequests.Error())
		return true
	}
	in.payload = bytes.Clone(in.payload)
	c.commands.Add(1) // so that it is answered before the connection is closed
	c.extra.asks.Decided(in.entry, func() {
		if !c.Gone() {
			b.dispatchMessage(conn, c, in)
		}
		c.commandDone(conn)
	})
	return true
}

// question is what an application is asked about a client's request.
type question struct {
	conn   engine.Conn
	client *client
	entry  *inorder.Entry // of the message, if it has waited
	until  time.Time      // when the answer comes too late
	all    []access.Ask
}

// ask lets an application decide about a client's request, and then calls a function with its
// data for the client, or with a rejection; then the client's next messages have their turn. The
// function is called at once if the application is not asked about this op, and otherwise on
// another goroutine.
func (b *Bridge) ask(q question, then func(data [][]byte, err error)) {
	if len(q.all) == 0 || !b.asks(q.all[0].Op) {
		then(nil, nil)
		return
	}
	asks, e := &q.client.extra.asks, q.entry
	if e != nil {
		asks.Retain(e)
	} else if e = asks.Add(0); e == nil {
		then(nil, errAskedTooMuch)
		return
	}
	q.client.commands.Add(1)
	carryOn := func(data [][]byte, err error) {
		asks.Decided(e, func() {
			then(data, err)
			q.client.commandDone(q.conn)
		})
	}
	select {
	case b.asking <- struct{}{}:
	default:
		carryOn(nil, errAllAsk)
		return
	}
	go func() {
		defer func() { <-b.asking }()
		ctx, cancel := context.WithDeadline(b.running, q.until)
		defer cancel()
		carryOn(b.askAll(ctx, q.client, q.all))
	}()
}

var (
	errAskedTooMuch = &protocol.Rejection{Code: protocol.CodeFull, Message: "This was not done: too many requests of yours wait for the application that decides about them; wait for the answers."}
	errAllAsk       = &protocol.Rejection{Code: protocol.CodeUndecided, Message: "This was not done: too many requests wait for the application that decides about them; try again."}
)

// askAll asks about each of several things, all of which must be allowed.
func (b *Bridge) askAll(ctx context.Context, c *client, all []access.Ask) (data [][]byte, err error) {
	for _, r := range all {
		answer, no := b.access.Ask(ctx, c.principal(), r)
		if no != nil {
			code := protocol.CodeForbidden
			if no.Status == http.StatusServiceUnavailable || no.Status == http.StatusTooManyRequests {
				code = protocol.CodeUndecided
			}
			return nil, &protocol.Rejection{Code: code, Message: no.Reason, RetryAfter: no.RetryAfter, Data: answer}
		}
		data = append(data, answer)
	}
	return data, nil
}

// askCommand lets an application decide about a command that its sender's grants allow. then
// gets a rejection, or nil.
func (b *Bridge) askCommand(s *outgoing, then func(error)) {
	q := question{conn: s.conn, client: s.client, entry: s.entry, until: s.receivedAt.Add(b.cfg.within)}
	if b.asks(opCommand) {
		q.all = []access.Ask{b.commandQuestion(s)}
	}
	b.ask(q, func(data [][]byte, err error) { then(b.answered(s, data, err)) })
}

// askCommandHTTP is askCommand for a request over HTTP, which waits.
func (b *Bridge) askCommandHTTP(ctx context.Context, s *outgoing) error {
	if !b.asks(opCommand) {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, s.receivedAt.Add(b.cfg.within))
	defer cancel()
	data, err := b.askAll(ctx, s.client, []access.Ask{b.commandQuestion(s)})
	return b.answered(s, data, err)
}

func (b *Bridge) commandQuestion(s *outgoing) access.Ask {
	r := access.Ask{Op: opCommand, Consumer: s.Consumer, Command: s.CommandString, ID: s.CommandID, Extra: s.extra}
	if s.client.number > 0 {
		r.Client = b.clientID(s.client.number)
	}
	return r
}

// answered takes the application's answer about a command. It returns why the command must not
// be sent.
func (b *Bridge) answered(s *outgoing, data [][]byte, err error) error {
	if len(data) > 0 {
		s.data = data[0]
		return tooLate(incoming{receivedAt: s.receivedAt}, b.cfg.within, s.expires)
	}
	if err != nil {
		s.rule = "callback"
	}
	return err
}

// askSubscribe lets an application decide about a subscription that the client's grants allow.
// It is asked about each room; without one, once.
func (b *Bridge) askSubscribe(s *hub.Session, r request, d hub.SubscribeRequest, longFilter []byte) error {
	extra, err := readExtra(r.fields)
	if err != nil {
		return err
	}
	q := question{conn: r.conn, client: r.client, entry: r.entry, until: time.Now().Add(maxAskSubscribe)}
	one := access.Ask{Op: opSubscribe, Client: s.ID, Extra: extra}
	if r.id != nil {
		one.ID = *r.id
	}
	for _, path := range d.Spec.Rooms {
		one.Path = path
		q.all = append(q.all, one)
	}
	if q.all == nil {
		q.all = []access.Ask{one}
	}
	b.ask(q, func(data [][]byte, err error) {
		if err == nil {
			d.Data = joinData(d.Spec.Rooms, data)
			err = b.hub.Subscribe(hubConn{r.conn}, s, d, longFilter)
		}
		if no, ok := errors.AsType[*protocol.Rejection](err); ok {
			b.noteRefused(r.client, "subscribe", "", access.Decision{Rule: "callback", Reason: no.Message})
		}
		if err != nil {
			b.failRequest(r.conn, s, r.id, err)
		}
	})
	return nil
}

// askConnect lets an application decide about the subscription in a client's URL, before the
// client is greeted. Without it, the client hears nothing until it subscribes.
func (b *Bridge) askConnect(conn engine.Conn, c *client, s *hub.Session, connect *hub.ConnectRequest) {
	q := question{conn: conn, client: c, until: time.Now().Add(maxAskSubscribe)}
	q.all = []access.Ask{{Op: opSubscribe, Client: s.ID, ID: urlSubscription}}
	b.ask(q, func(data [][]byte, err error) {
		if err == nil {
			connect.Subscribe.Data = joinData(nil, data)
		} else {
			connect = &hub.ConnectRequest{Silent: true, Batch: connect.Batch, Err: err}
		}
		b.sendHello(conn, c, s, connect)
	})
}

// askRoom lets an application decide about a client that connects to a room, once it is
// identified. The answer takes long, so it is in the verdict's Later.
func (b *Bridge) askRoom(v access.Verdict, session, path string) access.Verdict {
	room := b.roomOf(path)
	if room == "" || v.Refusal != nil || v.Awaits || !b.asks(opSubscribe) {
		return v
	}
	return access.Verdict{Later: func(ctx context.Context) access.Verdict {
		if v.Later != nil {
			v = v.Later(ctx)
		}
		if v.Principal == nil || !v.Principal.Decide(access.Request{Door: access.EnterRoom, Room: room}).Allowed {
			return v // which is refused without asking
		}
		if _, no := b.access.Ask(ctx, v.Principal, access.Ask{Op: opSubscribe, Client: session, Path: room}); no != nil {
			return access.Verdict{Refusal: no}
		}
		return v
	}}
}

// maxAskSubscribe bounds the questions about one subscription.
const maxAskSubscribe = 15 * time.Second

// joinData returns what an application has for the client of a subscription: as it is for one
// room, and an object by room for several.
func joinData(rooms []string, data [][]byte) json.RawMessage {
	if len(data) == 1 {
		return data[0]
	}
	by := map[string]json.RawMessage{}
	for i, one := range data {
		if one != nil {
			by[rooms[i]] = one
		}
	}
	if len(by) == 0 {
		return nil
	}
	return protocol.JSON(by)
}

// readExtra reads a client's object for the application that decides.
func readExtra(f protocol.Fields) ([]byte, error) {
	raw, ok := f["extra"]
	switch {
	case !ok || string(raw) == "null":
		return nil, nil
	case protocol.Kind(raw) != "an object":
		return nil, errExtra
	case len(raw) > maxExtra:
		return nil, errExtraTooLong
	}
	return compactJSON(raw), nil
}

// maxExtra is the length of the longest object for the application, in bytes.
const maxExtra = 16 << 10

var (
	errExtra        = errors.New(`"extra" must be an object, for the application that decides`)
	errExtraTooLong = errors.New(`"extra" is longer than 16384 bytes; send less`)
)
