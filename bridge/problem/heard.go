package problem

import (
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// heardReply is a reply that told of a problem, so that it is known who may hear it. It never
// changes.
type heardReply struct {
	filter.Reply
	unknown bool // who may hear it is not known
}

// keepReply remembers a reply as one of those that tell of a problem, if clients have views.
func (t *Tracker) keepReply(e *entry, at int, r *Reply) {
	if t.cfg.Views {
		e.needs[at] = t.kept(r, e.needs[at])
	}
}

// kept returns a copy of a reply, or the one that is kept already if it is the same.
func (t *Tracker) kept(r *Reply, last *heardReply) *heardReply {
	if last != nil && t.same(r, last) {
		return last
	}
	k := &heardReply{Reply: filter.Reply{
		Sender: strings.Clone(r.Sender), RoutingKey: strings.Clone(r.RoutingKey), Code: strings.Clone(r.Code),
		CommandID: strings.Clone(r.CommandID), Commander: strings.Clone(r.Commander), Internal: r.Internal,
	}}
	r.Keywords(func(name, _ []byte) bool {
		k.Keywords = append(k.Keywords, string(name))
		return true
	})
	k.Keywords = slices.Clip(k.Keywords)
	return k
}

// same reports whether a reply is for certain heard by the clients that hear one that is kept.
func (t *Tracker) same(r *Reply, k *heardReply) bool {
	if k.Sender != r.Sender || k.RoutingKey != r.RoutingKey || k.Code != r.Code || k.CommandID != r.CommandID ||
		k.Commander != r.Commander || k.Internal != r.Internal {
		return false
	}
	c := &t.comparison
	c.left, c.same = k.Keywords, true
	r.Keywords(c.each)
	return c.same && len(c.left) == 0
}

// comparison compares the keywords of a reply with those of one that is kept. It is a part of the
// tracker, so that a reply allocates nothing.
type comparison struct {
	each func(name, value []byte) bool // its own method
	left []string
	same bool
}

func (c *comparison) compare(name, _ []byte) bool {
	if c.same = len(c.left) > 0 && c.left[0] == string(name); c.same {
		c.left = c.left[1:]
	}
	return c.same
}
