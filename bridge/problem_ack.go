package bridge

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/problem"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
)

// An acknowledgement travels over the exchange, so that all bridges know it, and with a stream those
// that start later:
//
//	ack ──► decide ──► problem.Prepare ──► reply.BRIDGE ──► exchange ──► every bridge: noteAck ──► problem.Acked
//
// It is an internal broadcast of the bridge. Plain clients and other programs may see it.

// ackHeader marks the broadcast. A program does not send it by mistake.
const ackHeader = "clu_ws"

const ackMark = "ack"

// isAck reports whether a reply is the broadcast of a bridge with an acknowledgement.
func isAck(d *amqpx.Delivery, r *hub.Reply) bool {
	mark, _ := d.Headers[ackHeader].(string)
	return mark == ackMark && isAckReply(r.Sender, r.RoutingKey, r.Code, r.CommandID, r.Internal)
}

// isAckReply reports whether a reply may have an acknowledgement, by its other properties.
func isAckReply(sender, key, code, commandID string, internal bool) bool {
	return internal && sender != "" && key == "reply."+sender && code == string(actor.Info) && commandID == ""
}

// acknowledgedOf returns the actor whose problems an acknowledgement is about: its keys name keywords
// of that one, and that there are problems at all. "" if it is not understood.
func acknowledgedOf(body []byte) string {
	ack, err := problem.ParseAck(body)
	if err != nil {
		return ""
	}
	return ack.Actor
}

// noteAck notes an acknowledgement that came from the exchange.
func (b *Bridge) noteAck(o *hub.Observed) {
	if !isAckReply(o.Sender, o.RoutingKey, o.Code, o.CommandID, o.Internal) {
		return // the answer to a question of a bridge
	}
	ack, err := problem.ParseAck(o.Body)
	if err != nil {
		b.badAcks.Note(err.Error(), "sender", o.Sender, "message_id", o.MessageID)
		return
	}
	b.problems.Acked(ack, o.Heard, o.Seq)
}

// ack acknowledges problems of an actor for all clients of all bridges, and answers with the broker's
// outcome.
func (b *Bridge) ack(_ *hub.Session, r request) error {
	asked, err := readAck(r.fields)
	if err != nil {
		return err
	}
	name := asked.actor
	door := access.Request{Door: access.Acknowledge, Consumer: name}
	d := b.decide(r.client, door)
	if !d.Allowed {
		b.noteRefused(r.client, "ack", name, d)
		return forbidden(d)
	}
	if asked.epoch != "" && asked.epoch != b.hub.Epoch {
		return &protocol.Rejection{Code: protocol.CodeGone, Message: "Nothing was acknowledged: the numbers have begun anew since you asked for the problems. This is epoch " +
			b.hub.Epoch + "; ask for the problems again."}
	}
	if r.client.leaving() {
		return &protocol.Rejection{Code: protocol.CodeLeaving, Message: "The problems were not acknowledged: " + goingAwayReason + "."}
	}
	ack, err := b.problems.Prepare(name, asked.key, asked.seq, viewOf(r.client))
	if err != nil {
		return errors.New("this actor has no problem with this key any more, or you may not hear of it; ask for its problems again")
	}
	if len(ack.Keys) == 0 { // another operator was faster
		r.conn.Send(protocol.Encode(protocol.OK{Op: "ok", ID: r.id}))
		return nil
	}
	ack.By = problem.ShortName(r.client.user())
	b.cfg.Audit.Acknowledged(audit.Acknowledged{Who: b.who(r.client), Actor: name, Keys: ack.Keys, Rule: d.Rule})
	message := b.ackMessage(&ack)
	message.From, message.Tenant = r.client, quota.Address(r.client.Remote())
	message.Withdrawn = func() bool { return !b.decide(r.client, door).Allowed }
	return b.publishAck(r, message)
}

// ackRequest is what is to be acknowledged.
type ackRequest struct {
	actor, key string
	seq        *uint64 // nil if there is none
	epoch      string  // of seq; "" is not said
}

// readAck reads the fields of the request.
func readAck(f protocol.Fields) (asked ackRequest, err error) {
	number := -1
	for _, err := range []error{
		protocol.Optional(f, "actor", "the name of an actor", &asked.actor),
		protocol.Optional(f, "key", "the key of a problem", &asked.key),
		protocol.Optional(f, "seq", "the number of a reply", &number),
		protocol.Optional(f, "epoch", "a text, the epoch of the number", &asked.epoch),
	} {
		if err != nil {
			return ackRequest{}, err
		}
	}
	if number >= 0 {
		n := uint64(number)
		asked.seq = &n
	}
	switch {
	case asked.actor == "":
		return ackRequest{}, errors.New(`"ack" needs an "actor", the name of the one whose problems are acknowledged`)
	case asked.key == "" && asked.seq == nil:
		return ackRequest{}, errors.New(`"ack" needs "seq", the number of the reply up to which you know the actor's problems, or the "key" of one of them`)
	}
	return asked, nil
}

// ackMessage returns the broadcast with an acknowledgement.
func (b *Bridge) ackMessage(ack *problem.Ack) amqpx.Message {
	return amqpx.Message{
		Key: "reply." + b.cfg.Name,
		Publishing: amqpx.Publishing{
			ContentType: jsonType, DeliveryMode: 1, MessageId: uuid.NewString(), Timestamp: time.Now(),
			Headers: amqpx.Table{
				"message_code": string(actor.Info), "sender": b.cfg.Name, "internal": true, "command_id": nil, "commander_id": nil, ackHeader: ackMark,
			},
			Body: ack.Body(),
		},
	}
}

// publishAck publishes an acknowledgement, and answers with what became of it.
func (b *Bridge) publishAck(r request, message amqpx.Message) error {
	r.client.commands.Add(1)
	err := b.link.Publish(message, func(o amqpx.Outcome) {
		if o == amqpx.Confirmed {
			r.conn.Send(protocol.Encode(protocol.OK{Op: "ok", ID: r.id}))
		} else {
			b.failures.Note(o.String(), "op", "ack")
			r.conn.Send(protocol.Encode(protocol.Error{Op: "error", ID: r.id, Code: o.String(), Message: ackFailure(o)}))
		}
		r.client.commandDone(r.conn)
	})
	if err != nil { // AMQP cannot carry it, or the broker does not permit it
		r.client.commandDone(r.conn)
		return &protocol.Rejection{Code: protocol.CodeInvalid, Message: err.Error()}
	}
	return nil
}

// ackFailure returns the error text for an acknowledgement that was not confirmed.
func ackFailure(o amqpx.Outcome) string {
	switch o {
	case amqpx.Disconnected:
		return "Nothing was acknowledged: there is no connection to the broker, over which all bridges are told. Try again when it is back."
	case amqpx.Blocked:
		return "Nothing was acknowledged: the broker blocks publishers because it is short of memory or disk."
	case amqpx.Full, amqpx.Expired:
		return "Nothing was acknowledged: too many messages wait to be sent; try again."
	case amqpx.Gone:
		return "Nothing was acknowledged: you may not acknowledge problems of this actor any longer."
	case amqpx.Refused:
		return "Some bridges may not know of the acknowledgement: the broker refused it for at least one queue. Look whether it is shown, and try again."
	}
	return "The problems may have been acknowledged: that was sent, but the broker did not confirm it. Look whether it is shown, and try again."
}
