package hub

import (
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// Reply is a reply in the hub: the fields that filters look at, its number, and its frame
// for v1 clients. It does not change once it is encoded.
type Reply struct {
	filter.Reply
	Seq    uint64
	Plain  []byte       // the envelope, after room for a frame's header; nil once it is encoded
	BodyAt int          // offset of the body in Plain
	Frame  engine.Frame // as v1 clients get it

	heard time.Time // when it was heard, see heard.go
	body  []byte    // part of the frame
	read  bool      // Keywords were read
	owner string    // id of the session whose command it answers, or ""
	self  string    // [Client.Self] of the sender of that command, or ""

	// MessageID is the id of its message, for [Config].Observe; it is "" once the reply is numbered.
	MessageID string
	// Sent is when it was sent, as its message says; zero if that does not.
	Sent time.Time
	// Past reports whether it waited at the broker, so that it was sent before it could be heard. The
	// hub sets it for replies of a stream's past.
	Past bool
	// WaitedSince, if not zero, is a time since which a live reply may have waited in a socket, because
	// the process stood still.
	WaitedSince time.Time
	// Aside is set for a reply that says nothing of its actor's state, such as the answer to a
	// question of the bridge. It is in no snapshot, but it is delivered and resumed.
	Aside bool
	// unroutable is set for a failed reply that a commander, not an actor, published because a
	// consumer does not exist. It is delivered live only: if snapshots held it, clients could
	// invent actors and evict real ones.
	Unroutable bool
	// Ordered reports whether the reply has a place in the order of its key. Ordered
	// subscriptions leave out replies that are older than those they have delivered.
	Ordered  bool
	Order    int64
	OrderKey string
}

// urgent reports whether a reply is never throttled, because it ends a command or is an
// error.
func (r *Reply) urgent() bool { return actor.Code(r.Code).Ends() || r.Code == string(actor.Error) }

// readKeywords finds the top-level keys of the body.
func (r *Reply) readKeywords() {
	if !r.read {
		r.read = true
		r.Keywords = jsonscan.Keys(nil, r.body)
	}
}

// withKeywords copies the reply's properties, with its keywords, into dup, whose memory is reused.
func (r *Reply) withKeywords(dup *filter.Reply) {
	keywords := jsonscan.Keys(dup.Keywords[:0], r.body)
	*dup = r.Reply
	dup.Keywords = keywords
}

// ends reports whether a reply is the last of its command, and fails reports whether the
// command failed.
func (r *Reply) ends() bool  { return actor.Code(r.Code).Ends() }
func (r *Reply) fails() bool { return actor.Code(r.Code).Fails() }
