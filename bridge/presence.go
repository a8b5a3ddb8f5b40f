package bridge

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// The routing keys of presence.
const (
	presenceConnect    = "websocket.connect"
	presenceDisconnect = "websocket.disconnect"
)

// presence publishes which clients connect and leave.
type presence struct {
	link     *amqpx.Link
	outcomes [amqpx.Unknown + 1]atomic.Uint64
}

// newPresence makes the link for presence, if it is configured. More of its messages may wait
// than commands, and longer: late presence does no harm.
func (b *Bridge) newPresence() (err error) {
	exchange := b.cfg.Presence
	switch exchange {
	case "":
		return nil
	case b.cfg.Exchange:
		return fmt.Errorf("the exchange of presence is the actors', %s; choose another", exchange)
	}
	cfg := b.linkConfig(exchange, amqpx.ExchangeOptions{Passive: true, Persistent: true})
	cfg.MaxPending, cfg.PublishTimeout = 16<<10, 10*time.Second
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

// presenceMessage describes a client, on the presence exchange and in the answer to clients.
type presenceMessage struct {
	Client   string `json:"client"`
	Path     string `json:"path"`
	Remote   string `json:"remote"`
	Name     string `json:"name"`     // the bridge's
	Protocol string `json:"protocol"` // clu, v1, room or dialect
	Time     string `json:"time"`     // when it connected, or, in a disconnect, when it left
	User     string `json:"user,omitempty"`
}

// disconnectMessage is a client that has left.
type disconnectMessage struct {
	presenceMessage
	Code    int     `json:"code"`
	Reason  string  `json:"reason"`
	Seconds float64 `json:"seconds"` // for how long it was connected
}

func (b *Bridge) presenceOf(c *client, at time.Time) presenceMessage {
	spoken := "clu"
	switch {
	case c.dialectSession() != nil:
		spoken = "dialect"
	case c.roomClient() != nil:
		spoken = "room"
	case c.v1.Load() != nil:
		spoken = "v1"
	}
	return presenceMessage{b.clientID(c.number), c.path(), c.Remote(), b.cfg.Name, spoken, at.UTC().Format(protocol.TimeFormat), c.user()}
}

// publishConnect and publishDisconnect publish that a client has connected or left. They run on the
// engine's loops and never block.
func (b *Bridge) publishConnect(c *client) {
	if b.presence != nil {
		b.presence.publish(presenceConnect, b.presenceOf(c, c.connectTime()))
	}
}

func (b *Bridge) publishDisconnect(c *client, code int, reason string) {
	if b.presence != nil {
		now := time.Now()
		b.presence.publish(presenceDisconnect, disconnectMessage{b.presenceOf(c, now), code, reason, now.Sub(c.connectTime()).Round(time.Millisecond).Seconds()})
	}
}

func (p *presence) publish(key string, body any) {
	message := amqpx.Message{Key: key, Publishing: amqpx.Publishing{ContentType: "application/json", DeliveryMode: 1, Body: protocol.JSON(body)}}
	err := p.link.Publish(message, func(o amqpx.Outcome) { p.outcomes[o].Add(1) })
	if err != nil {
		p.outcomes[amqpx.Refused].Add(1) // cannot happen: clients choose only the body
	}
}

// maxListed is how many clients one answer names.
const maxListed = 10_000

// clients answers with the connected clients, if the client may list them.
func (b *Bridge) clients(s *hub.Session, r request) error {
	if d := b.decide(r.client, access.Request{Door: access.ListClients}); !d.Allowed {
		b.noteRefused(r.client, "clients", "", d)
		return forbidden(d)
	}
	return b.hub.SubmitTask(s, func(answered func()) hub.Task { return b.clientsTask(r.conn, r.id, answered) })
}

// listedPerTurn is how many clients are written in a turn.
const listedPerTurn = 256

// clientsTask answers with the connected clients, and with how many are left out if there are
// too many:
//
//	{"op":"clients","id":"a","clients":[{"client":"bridge-1", ...}],"omitted":2}
func (b *Bridge) clientsTask(conn engine.Conn, id *string, answered func()) hub.Task {
	var left []*client
	var buf []byte
	omitted := 0
	return func() bool {
		if buf == nil {
			left, omitted = b.allClients()
			buf = append(make([]byte, engine.MaxHeaderSize, 256*(1+len(left))), `{"op":"clients","id":`...)
			buf = append(append(buf, protocol.JSON(id)...), `,"clients":[`...)
			return false
		}
		n := min(listedPerTurn, len(left))
		for _, c := range left[:n] {
			buf = append(append(buf, protocol.JSON(b.presenceOf(c, c.connectTime()))...), ',')
		}
		if left = left[n:]; len(left) > 0 {
			return false
		}
		buf = append(bytes.TrimSuffix(buf, []byte(",")), ']')
		if omitted > 0 {
			buf = append(append(buf, `,"omitted":`...), protocol.JSON(omitted)...)
		}
		conn.SendInOrder(engine.Must(engine.NewText(append(buf, '}'))))
		answered()
		return true
	}
}

// allClients returns at most maxListed connected clients, and how many more there are. It
// waits for the engine's loops.
func (b *Bridge) allClients() (all []*client, omitted int) {
	b.engine.Each(func(_ engine.Conn, v any) {
		if v.(*client).awaitsCredential() {
			return
		}
		if len(all) >= maxListed {
			omitted++
			return
		}
		all = append(all, v.(*client))
	})
	return all, omitted
}
