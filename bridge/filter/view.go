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
	key        string
}

// NewView returns a view, or nil if it selects every reply. No filter may have the commander
// "me": a view is shared by all clients with the same grants.
func NewView(hear, hide []*Filter) *View {
	hear, hide = canonical(hear), canonical(hide)
	if len(hide) == 0 && slices.ContainsFunc(hear, func(f *Filter) bool { return f.Key() == "{}" }) {
		return nil
	}
	ids := func(all []*Filter) string {
		var b strings.Builder
		for _, f := range all {
			b.WriteString(" " + f.ID())
		}
		return b.String()
	}
	return &View{hear: hear, hide: hide, key: "hear" + ids(hear) + " hide" + ids(hide)}
}

// canonical returns the distinct filters in the order of their keys.
func canonical(all []*Filter) []*Filter {
	all = slices.SortedFunc(slices.Values(all), func(a, b *Filter) int { return strings.Compare(a.Key(), b.Key()) })
	return slices.CompactFunc(all, func(a, b *Filter) bool { return a.Key() == b.Key() })
}

// Key returns a text that is equal for all views that are made of the same filters. That of a
// nil view is "".
func (v *View) Key() string {
	if v == nil {
		return ""
	}
	return v.key
}

// Match reports whether the view selects a reply. It does not allocate.
func (v *View) Match(r *Reply) bool {
	return v == nil || slices.ContainsFunc(v.hear, func(f *Filter) bool { return f.Match(r) }) && !v.Hides(r)
}

// Hides reports whether one of the hide filters selects a reply, so that not even the sender of
// the command that it answers hears it.
func (v *View) Hides(r *Reply) bool {
	return v != nil && slices.ContainsFunc(v.hide, func(f *Filter) bool { return f.Match(r) })
}

// NeedsKeywords reports whether the view tests Reply.Keywords.
func (v *View) NeedsKeywords() bool {
	return v != nil && (slices.ContainsFunc(v.hear, (*Filter).NeedsKeywords) || slices.ContainsFunc(v.hide, (*Filter).NeedsKeywords))
}
