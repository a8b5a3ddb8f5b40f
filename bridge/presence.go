package bridge

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
)

// The routing keys of presence.
const (
	presenceConnect    = "websocket.connect"
	presenceDisconnect = "websocket.disconnect"
)

// presence publishes who connects and who leaves.
type presence struct {
	link     *amqpx.Link
	outcomes [amqpx.Unknown + 1]atomic.Uint64
}

// newPresence makes the link for presence, if it was asked for. It waits longer,
// and holds more, than that of commands: nobody is hurt by news that come late.
func (b *Bridge) newPresence() (err error) {
	exchange := b.cfg.Presence
	switch exchange {
	case "":
		return nil
	case b.cfg.Exchange:
		return fmt.Errorf("the exchange of presence is the actors', %s; choose another", exchange)
	}
	cfg := b.linkConfig(exchange, amqpx.Exchange{AsItIs: true, Stays: true})
	cfg.Waiting, cfg.PublishTimeout = 16<<10, 10*time.Second
	b.presence = new(presence)
	b.presence.link, err = amqpx.New(cfg)
	return err
}

func (p *presence) run(ctx context.Context, running *sync.WaitGroup) {
	if p == nil {
		return
	}
	running.Go(func() {
		_ = p.link.Run(ctx) // without FailFast there is no error
	})
}

// presenceMessage is a client, as presence and the op clients tell of it.
type presenceMessage struct {
	Client   string `json:"client"`
	Path     string `json:"path"`
	Remote   string `json:"remote"`
	Name     string `json:"name"`     // the bridge's
	Protocol string `json:"protocol"` // clu, v1 or room
	Time     string `json:"time"`     // of connecting; in a disconnect of leaving
}

// leftMessage is a client that has left.
type leftMessage struct {
	presenceMessage
	Code    int     `json:"code"`
	Reason  string  `json:"reason"`
	Seconds float64 `json:"seconds"` // for how long it was connected
}

func (b *Bridge) presenceOf(c *client, at time.Time) presenceMessage {
	protocol := "clu"
	switch {
	case c.guest() != nil:
		protocol = "room"
	case c.v1.Load() != nil:
		protocol = "v1"
	}
	return presenceMessage{b.clientID(c), c.path(), c.remote(), b.cfg.Name, protocol, at.UTC().Format(noticeTime)}
}

// arrived and left tell of a client. They run on the engine's loop, and never block.
func (b *Bridge) arrived(c *client) {
	if b.presence != nil {
		b.presence.publish(presenceConnect, b.presenceOf(c, c.since()))
	}
}

func (b *Bridge) left(c *client, code int, reason string) {
	if b.presence != nil {
		now := time.Now()
		b.presence.publish(presenceDisconnect, leftMessage{b.presenceOf(c, now), code, reason, now.Sub(c.since()).Round(time.Millisecond).Seconds()})
	}
}

func (p *presence) publish(key string, body any) {
	message := amqpx.Message{Key: key, Publishing: amqpx.Publishing{ContentType: "application/json", DeliveryMode: 1, Body: jsonOf(body)}}
	err := p.link.Publish(message, func(o amqpx.Outcome) { p.outcomes[o].Add(1) })
	if err != nil {
		p.outcomes[amqpx.Refused].Add(1) // it cannot be: nothing in it is a client's choice but the body
	}
}

// maxListed is how many clients one answer names.
const maxListed = 10_000

// clients tells who is connected, where that is allowed.
func (b *Bridge) clients(s *session, r opRequest) error {
	if !b.cfg.ListClients {
		frame := frameOf(errorMessage{Op: "error", ID: r.id, Code: "forbidden", Message: "this bridge does not tell who is connected; start it with --list-clients"})
		return b.answer(s, r.conn, 0, func() engine.Frame { return frame })
	}
	return b.askSteps(s, inTurns, 0, func(answered func()) task { return b.clientsTask(r.conn, r.id, answered) })
}

// listedInTurn is how many clients are written in a turn.
const listedInTurn = 256

// clientsTask answers who is connected, and how many are left out where they are many:
//
//	{"op":"clients","id":"a","clients":[{"client":"bridge-1", ...}],"omitted":2}
func (b *Bridge) clientsTask(conn engine.Conn, id *string, answered func()) task {
	var left []*client
	var buf []byte
	omitted := 0
	return func() bool {
		if buf == nil {
			left, omitted = b.allClients()
			buf = append(make([]byte, engine.HeaderRoom, 256*(1+len(left))), `{"op":"clients","id":`...)
			buf = append(append(buf, jsonOf(id)...), `,"clients":[`...)
			return false
		}
		n := min(listedInTurn, len(left))
		for _, c := range left[:n] {
			buf = append(append(buf, jsonOf(b.presenceOf(c, c.since()))...), ',')
		}
		if left = left[n:]; len(left) > 0 {
			return false
		}
		buf = append(bytes.TrimSuffix(buf, []byte(",")), ']')
		if omitted > 0 {
			buf = append(append(buf, `,"omitted":`...), jsonOf(omitted)...)
		}
		conn.Say(engine.Must(engine.Seal(append(buf, '}'))))
		answered()
		return true
	}
}

// allClients are those who are connected, and how many more there are than may be
// listed. It waits for the engine's loops.
func (b *Bridge) allClients() (all []*client, omitted int) {
	b.engine.Each(func(_ engine.Conn, v any) {
		if len(all) >= maxListed {
			omitted++
			return
		}
		all = append(all, v.(*client))
	})
	return all, omitted
}
