package bridge

import (
	"math"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/object"
)

// reply is a reply as the hub has it: what filters look at, its number, and the
// frame that v1 clients get. It does not change once it was numbered.
type reply struct {
	filter.Reply
	seq    uint64
	at     time.Time // when it came here
	plain  []byte    // the envelope, behind room for a frame's header
	bodyAt int       // where the body begins in it
	frame  engine.Frame
	body   []byte // part of the frame
	read   bool   // the keywords were read
	owner  string // the session whose command it answers, or ""
	// unroutable is set for a failed reply that a commander, not an actor, published
	// because a consumer does not exist. It is delivered live only: in snapshots,
	// clients could invent actors and evict real ones.
	unroutable bool
	ordered    bool
	order      int64
	orderKey   string
}

// newReply takes what is needed of a delivery, whose envelope is written.
func newReply(d *amqpx.Delivery, envelope []byte, bodyAt int) *reply {
	r := &reply{at: time.Now(), plain: envelope, bodyAt: bodyAt}
	text := func(header string) string {
		s, _ := d.Headers[header].(string)
		return actor.Text(s) // as in the envelope
	}
	r.Sender, r.Code = text("sender"), text("message_code")
	r.CommandID, r.Commander = text("command_id"), text("commander_id")
	r.RoutingKey = d.RoutingKey
	r.Internal, _ = d.Headers["internal"].(bool)
	r.unroutable = d.Timestamp.IsZero() && r.Code == string(actor.Failed) && actor.ForNobody(r.RoutingKey, r.Commander, r.Sender)
	r.order, r.ordered = integer(d.Headers["order"])
	if r.ordered {
		key, _ := d.Headers["order_key"].(string)
		r.orderKey = r.Sender + "\x00" + key
		r.ordered = len(r.orderKey) <= maxOrderKey
	}
	return r
}

// maxOrderKey is the longest name of an order, in bytes: as many of them are
// remembered as a selection may have. A reply of a longer one is delivered.
const maxOrderKey = 512

// integer is a header that counts something, of any of AMQP's types for that.
func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case int32:
		return int64(n), true
	case int16:
		return int64(n), true
	case int8:
		return int64(n), true
	case uint8:
		return int64(n), true
	case uint16:
		return int64(n), true
	case uint32:
		return int64(n), true
	case uint64:
		return int64(n), n <= math.MaxInt64
	case int:
		return int64(n), true
	}
	return 0, false
}

// urgent replies are never held back: those that end a command, and errors.
func (r *reply) urgent() bool { return actor.Code(r.Code).Ends() || r.Code == string(actor.Error) }

// readKeywords finds the keys of the body.
func (r *reply) readKeywords() {
	if !r.read {
		r.read = true
		r.Keywords = object.Keys(nil, r.body)
	}
}

// ends tells whether it is a command's last, and fails whether that failed.
func (r *reply) ends() bool  { return actor.Code(r.Code).Ends() }
func (r *reply) fails() bool { return actor.Code(r.Code).Fails() }
