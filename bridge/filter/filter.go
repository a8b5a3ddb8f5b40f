package filter

import (
	"maps"
	"slices"
	"strings"
)

// Reply is what a filter looks at. Its texts may alias the memory of the delivery: a filter keeps
// none of them.
type Reply struct {
	Sender     string // "" when absent, like all headers
	RoutingKey string
	Code       string
	CommandID  string
	Commander  string // the header commander_id
	Internal   bool
	Keywords   []string // the decoded top-level keys of the body, if that is an object; see NeedsKeywords
}

// Filter says which replies are wanted. It is made by [Parse] or [FromQuery], never changes, and may
// be used by many goroutines.
type Filter struct {
	key, id   string
	sender    *list // a nil list is no constraint
	routing   *list
	keyword   *list
	commandID *list
	commander *list
	mine      bool   // commander has "me"
	codes     string // one letter each; "" is no constraint
	internal  *bool  // nil is no constraint
}

// Key is the filter in its one spelling: JSON that Parse reads as the same filter. Filters that
// differ only in the order, repetition or form of their values have equal keys. "{}" selects all.
// It may be as long as a filter may be: at worst about 2 MB.
func (f *Filter) Key() string { return f.key }

// ID identifies the filter like its key, but is short: a long key is hashed.
func (f *Filter) ID() string { return f.id }

// Match is MatchMine for a reply to somebody else's command: what it selects, every connection with
// this filter wants. It does not allocate.
func (f *Filter) Match(r *Reply) bool { return f.MatchMine(r, false) }

// MatchMine reports whether a reply is selected. Mine says whether it answers a command of the
// subscribing connection, which matters only if [Filter.Mine] is true. It does not allocate.
func (f *Filter) MatchMine(r *Reply, mine bool) bool {
	return (f.internal == nil || *f.internal == r.Internal) &&
		(f.codes == "" || len(r.Code) == 1 && strings.Contains(f.codes, r.Code)) &&
		f.sender.has(r.Sender) &&
		(f.mine && mine || f.commander.has(r.Commander)) &&
		f.commandID.has(r.CommandID) &&
		f.routing.has(r.RoutingKey) &&
		f.keyword.hasAny(r.Keywords)
}

// Senders are the only senders whose replies the filter may select, sorted, or nil if any sender's
// may be. A sender "" stands for replies without one.
func (f *Filter) Senders() []string {
	if f.sender == nil || len(f.sender.patterns) > 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(f.sender.names))
}

// Mine reports whether the filter selects replies to the connection's own commands by the commander
// "me", so that Match does not tell all.
func (f *Filter) Mine() bool { return f.mine }

// NeedsKeywords reports whether the filter looks at Reply.Keywords, which cost the parsing of a body.
func (f *Filter) NeedsKeywords() bool { return f.keyword != nil }

// Globs is how many patterns the filter has: what costs time on every reply.
func (f *Filter) Globs() int {
	n := 0
	for _, l := range []*list{f.sender, f.routing, f.keyword, f.commandID, f.commander} {
		if l != nil {
			n += len(l.patterns)
		}
	}
	return n
}

// OnlyMine reports whether the filter selects replies to the connection's own commands and no others.
func (f *Filter) OnlyMine() bool {
	return f.mine && f.commander != nil && len(f.commander.names)+len(f.commander.patterns) == 0
}
