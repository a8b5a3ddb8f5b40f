package hub

import (
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// Reply is a reply as the hub has it: what filters look at, its number, and the frame that
// v1 clients get. It does not change once it is numbered.
type Reply struct {
	filter.Reply
	Seq    uint64
	At     time.Time // when it came here
	Plain  []byte    // the envelope, behind room for a frame's header
	BodyAt int       // where the body begins in it
	Frame  engine.Frame
	body   []byte // part of the frame
	read   bool   // the keywords were read
	owner  string // the session whose command it answers, or ""
	// unroutable is set for a failed reply that a commander, not an actor, published
	// because a consumer does not exist. It is delivered live only: in snapshots,
	// clients could invent actors and evict real ones.
	Unroutable bool
	Ordered    bool
	Order      int64
	OrderKey   string
}

// urgent replies are never throttled: those that end a command, and errors.
func (r *Reply) urgent() bool { return actor.Code(r.Code).Ends() || r.Code == string(actor.Error) }

// readKeywords finds the keys of the body.
func (r *Reply) readKeywords() {
	if !r.read {
		r.read = true
		r.Keywords = jsonscan.Keys(nil, r.body)
	}
}

// ends reports whether it is a command's last, and fails whether the command failed.
func (r *Reply) ends() bool  { return actor.Code(r.Code).Ends() }
func (r *Reply) fails() bool { return actor.Code(r.Code).Fails() }
