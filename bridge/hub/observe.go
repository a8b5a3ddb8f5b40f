package hub

import (
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// Observed is a reply as [Config].Observe gets it. It is valid during the call only: its memory,
// that of its strings included, is used again.
type Observed struct {
	*filter.Reply
	Seq   uint64
	Heard time.Time // when it was heard, see heard.go
	// Past reports whether it is of a stream's past, or waited at the broker while the link was
	// down: see [Reply].Past.
	Past      bool
	MessageID string
	// Unroutable and Aside are as in [Reply]: such a reply says nothing of its actor's state.
	Unroutable, Aside bool
	Body              []byte // JSON
	// Keywords calls yield with the decoded name of each keyword of the body and its value, as JSON,
	// until yield returns false. Of more keywords than the store keeps of an actor, the last are
	// there.
	Keywords func(yield func(name, value []byte) bool)
}

// IsBroadcast reports whether a reply answers nobody's command: it has none, or one that its actor
// gives itself from time to time (CLU's timed commands have the commander ".<actor>"), or is for
// everybody (CLU sends a reply to a command with broadcast=True by this routing key).
func IsBroadcast(r *filter.Reply) bool {
	return r.CommandID == "" || r.Commander == "" || r.Commander[0] == '.' || r.RoutingKey == "reply.broadcast"
}

// observer hands the replies to [Config].Observe.
type observer struct {
	call func(*Observed)
	last *Observed // its memory is reused
}

func newObserver(call func(*Observed)) observer { return observer{call, new(Observed)} }

// observe is called without the lock, once a reply was delivered: what it makes known to clients
// follows the reply.
func (h *Hub) observe(d *delivery) {
	o := &h.observer
	if o.call == nil {
		return
	}
	if o.last.Keywords == nil {
		o.last.Keywords = h.keywordsOfReply()
	}
	r := d.Reply
	*o.last = Observed{
		Reply: &r.Reply, Seq: r.Seq, Heard: r.heard, Past: r.Past, MessageID: d.message,
		Unroutable: r.Unroutable, Aside: r.Aside, Body: r.body, Keywords: o.last.Keywords,
	}
	o.call(o.last)
}

// keywordsOfReply returns a function for the keywords of the current reply.
func (h *Hub) keywordsOfReply() func(yield func(name, value []byte) bool) {
	keywords := (*snapshot.Keywords).Each
	return func(yield func(name, value []byte) bool) { keywords(&h.keywords, yield) }
}
