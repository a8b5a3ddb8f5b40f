package hub

import (
	"slices"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// Viewer is what a client may hear, whatever it asks for. It does not change: a client whose
// grants change gets another one. A nil Viewer hears everything.
type Viewer struct {
	// View selects the replies that it hears. A nil View selects every reply.
	View *filter.View
	// Own lets it hear the replies to its own commands, too, unless the View hides them.
	Own bool
	// Self identifies whose commands are its own: those of clients with an equal [Client.Self].
	Self string
	// Rooms reports whether it may hear a room, by the clean path. A nil function allows all.
	Rooms func(path string) bool
	// Detailed lets it hear why the broker is not up, which may name addresses and users.
	Detailed bool
}

// view returns the viewer's view; nil selects every reply.
func (v *Viewer) view() *filter.View {
	if v == nil {
		return nil
	}
	return v.View
}

// detailed reports whether the viewer hears why the broker is not up.
func (v *Viewer) detailed() bool { return v == nil || v.Detailed }

// ownBeside reports whether the viewer may hear replies to its own commands that its view does not
// select.
func (v *Viewer) ownBeside() bool { return v != nil && v.Own && v.View != nil }

// mayEnter reports whether the viewer may hear a room.
func (v *Viewer) mayEnter(path string) bool { return v == nil || v.Rooms == nil || v.Rooms(path) }

// admits reports whether the viewer may hear all rooms of a subscription.
func (v *Viewer) admits(sp *Spec) bool {
	return !slices.ContainsFunc(sp.Rooms, func(path string) bool { return !v.mayEnter(path) })
}

// sameReplies reports whether two viewers hear the same.
func (v *Viewer) sameReplies(o *Viewer) bool {
	if v.view().Key() != o.view().Key() || v.detailed() != o.detailed() || v.ownBeside() != o.ownBeside() {
		return false
	}
	return !v.ownBeside() || v.Self == o.Self
}

// owns reports whether a reply answers one of the viewer's own commands.
func (v *Viewer) owns(r *Reply) bool { return v != nil && v.Own && r.self != "" && r.self == v.Self }

// hearsOwn reports whether the viewer hears a reply to a command that its client waits for, which is
// its own whoever it is. The caller is the goroutine that delivers the reply.
func (v *Viewer) hearsOwn(r *Reply) bool {
	if v.view() == nil {
		return true
	}
	if v.View.NeedsKeywords() {
		r.readKeywords()
	}
	return v.selects(&r.Reply, v.Own)
}

// heard reports whether the viewer hears a reply of which other goroutines may read.
func (v *Viewer) heard(r *Reply) bool {
	if v.view() == nil {
		return true
	}
	if r.read || !v.View.NeedsKeywords() {
		return v.selects(&r.Reply, v.owns(r))
	}
	var dup filter.Reply
	r.withKeywords(&dup)
	return v.selects(&dup, v.owns(r))
}

func (v *Viewer) selects(r *filter.Reply, own bool) bool {
	return v.View.Match(r) || own && !v.View.Hides(r)
}
