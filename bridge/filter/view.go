package filter

import (
	"slices"
	"strings"
)

// View selects the replies that a client may hear: those that one of its hear filters selects
// and none of its hide filters does. It never changes, and may be used by many goroutines. A
// nil View selects every reply.
type View struct {
	hear, hide []*Filter
	key, id    string
	senders    []string // see [View.Senders]
	keywords   bool     // one of the filters tests keywords
}

// NewView returns a view, or nil if it selects every reply. No filter may have the commander
// "me": a view is shared by all clients with the same grants.
func NewView(hear, hide []*Filter) *View {
	hear, hide = canonical(hear), canonical(hide)
	if len(hide) == 0 && slices.ContainsFunc(hear, (*Filter).selectsAll) {
		return nil
	}
	ids := func(all []*Filter) string {
		var b strings.Builder
		for _, f := range all {
			b.WriteString(" " + f.ID())
		}
		return b.String()
	}
	v := &View{hear: hear, hide: hide, key: "hear" + ids(hear) + " hide" + ids(hide), senders: sendersOf(hear)}
	v.id = shortID(v.key)
	v.keywords = slices.ContainsFunc(hear, (*Filter).NeedsKeywords) || slices.ContainsFunc(hide, (*Filter).NeedsKeywords)
	return v
}

// canonical returns the distinct filters in the order of their keys. One that selects everything
// replaces all others.
func canonical(all []*Filter) []*Filter {
	if at := slices.IndexFunc(all, (*Filter).selectsAll); at >= 0 {
		return all[at : at+1 : at+1]
	}
	all = slices.SortedFunc(slices.Values(all), func(a, b *Filter) int { return strings.Compare(a.Key(), b.Key()) })
	return slices.CompactFunc(all, func(a, b *Filter) bool { return a.Key() == b.Key() })
}

// sendersOf returns the only senders whose replies the filters may select together, sorted; nil if
// one of them may select those of any sender.
func sendersOf(all []*Filter) []string {
	senders := []string{}
	for _, f := range all {
		of := f.Senders()
		if of == nil {
			return nil
		}
		senders = append(senders, of...)
	}
	slices.Sort(senders)
	return slices.Compact(senders)
}

// Key returns a text that is equal for all views that are made of the same filters. That of a
// nil view is "".
func (v *View) Key() string {
	if v == nil {
		return ""
	}
	return v.key
}

// ID returns a short text that identifies the view like its key: a long key is hashed.
func (v *View) ID() string {
	if v == nil {
		return ""
	}
	return v.id
}

// Match reports whether the view selects a reply. It does not allocate.
func (v *View) Match(r *Reply) bool {
	return v == nil || v.hears(r) && !v.Hides(r)
}

func (v *View) hears(r *Reply) bool {
	for _, f := range v.hear {
		if f.Match(r) {
			return true
		}
	}
	return false
}

// Hides reports whether one of the hide filters selects a reply, so that not even the sender of
// the command that it answers hears it. It does not allocate.
func (v *View) Hides(r *Reply) bool {
	if v == nil {
		return false
	}
	for _, f := range v.hide {
		if f.Match(r) {
			return true
		}
	}
	return v.hidesAbout(r)
}

// hidesAbout reports whether one of the hide filters may select a reply of the actor of which a
// reply tells.
func (v *View) hidesAbout(r *Reply) bool {
	return r.About != "" && slices.ContainsFunc(v.hide, func(f *Filter) bool { return f.sender == nil || f.sender.has(r.About) })
}

// NeedsKeywords reports whether the view tests Reply.Keywords.
func (v *View) NeedsKeywords() bool { return v != nil && v.keywords }

// TestsCommandID reports whether the view tests Reply.CommandID.
func (v *View) TestsCommandID() bool {
	tests := func(f *Filter) bool { return f.commandID != nil }
	return v != nil && (slices.ContainsFunc(v.hear, tests) || slices.ContainsFunc(v.hide, tests))
}

// Senders returns the only senders whose replies the view may select, sorted; nil if it may select
// those of any sender. A view that selects nothing has an empty list.
func (v *View) Senders() []string {
	if v == nil {
		return nil
	}
	return v.senders
}

// SelectsAllOf reports whether the view certainly selects every reply of a sender, whatever its
// other properties are.
func (v *View) SelectsAllOf(sender string) bool {
	if v == nil {
		return true
	}
	heard := slices.ContainsFunc(v.hear, func(f *Filter) bool { return f.testsOnlySender() && f.sender.has(sender) })
	return heard && !slices.ContainsFunc(v.hide, func(f *Filter) bool { return f.sender.has(sender) })
}

// MayHear reports whether the view may select some reply of a sender.
func (v *View) MayHear(sender string) bool {
	if v == nil {
		return true
	}
	of := func(f *Filter) bool { return f.sender == nil || f.sender.has(sender) }
	return slices.ContainsFunc(v.hear, of) && !slices.ContainsFunc(v.hide, func(f *Filter) bool { return f.testsOnlySender() && of(f) })
}

// MatchPart is Match for a reply of whose keywords only some are known. It reports whether the view
// certainly selects the reply, whatever its other keywords are.
func (v *View) MatchPart(r *Reply) bool {
	if v == nil {
		return true
	}
	return v.hears(r) && !v.hidesAbout(r) && !slices.ContainsFunc(v.hide, func(f *Filter) bool {
		if f.keyword == nil {
			return f.Match(r)
		}
		any := *f
		any.keyword = nil // it may have one that the filter names
		return any.Match(r)
	})
}

// Narrow returns a filter and a view that together select what f and the view do. Equal selections
// that are written in different ways are often equal then, so that clients can share them: with a
// single hear filter, everything is the same as that filter without a view.
func (v *View) Narrow(f *Filter) (*Filter, *View) {
	switch {
	case v == nil || len(v.hide) > 0:
		return f, v
	case len(v.hear) == 1 && f.selectsAll():
		return v.hear[0], nil
	case slices.ContainsFunc(v.hear, func(o *Filter) bool { return o.key == f.key }):
		return f, nil
	}
	return f, v
}
