package problem

import (
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// heardReply is a reply that told of a problem, so that it is known who may hear it. It never
// changes.
type heardReply struct{ filter.Reply }

// keepReply remembers a reply as one of those that tell of a problem, if clients have views.
func (t *Tracker) keepReply(e *entry, at int, r *Reply) {
	if t.cfg.Views {
		e.needs[at] = r.kept(e.needs[at])
	}
}

// kept returns a copy of the reply, or the one that is kept already if it is the same.
func (r *Reply) kept(last *heardReply) *heardReply {
	if last != nil && last.same(r) {
		return last
	}
	k := &heardReply{filter.Reply{
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

// same reports whether a reply is heard by the same clients for certain.
func (k *heardReply) same(r *Reply) bool {
	if k.Sender != r.Sender || k.RoutingKey != r.RoutingKey || k.Code != r.Code || k.CommandID != r.CommandID ||
		k.Commander != r.Commander || k.Internal != r.Internal {
		return false
	}
	n, same := 0, true
	r.Keywords(func(name, _ []byte) bool {
		same = n < len(k.Keywords) && k.Keywords[n] == string(name)
		n++
		return same
	})
	return same && n == len(k.Keywords)
}
