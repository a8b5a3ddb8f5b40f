package filter

import (
	"maps"
	"slices"
	"strings"
)

// Reply holds the properties that filters test. Its strings may alias the memory of the delivery:
// a filter keeps none of them.
type Reply struct {
	Sender     string // "" when absent, like all headers
	RoutingKey string
	Code       string
	CommandID  string
	Commander  string // the header commander_id
	Internal   bool
	Keywords   []string // the decoded top-level keys of the body, if that is an object; see NeedsKeywords
	// About is another actor of which the body tells; "" is none. A view that may hide a reply of
	// that one hides this reply, too. Filters do not test it.
	About string
}

// Filter selects replies. It is made by [Parse] or [FromQuery], never changes, and may be used by
// many goroutines.
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

// Key returns the canonical form of the filter: JSON that Parse reads as the same filter. Filters
// that differ only in the order, repetition or spelling of their values have equal keys. "{}"
// selects all. A key may be as long as a filter, about 2 MB at worst.
func (f *Filter) Key() string { return f.key }

// ID returns a short text that identifies the filter like its key: a long key is hashed.
func (f *Filter) ID() string { return f.id }

// Match is MatchMine for a reply that does not answer a command of the connection. A reply that it
// selects is selected for every connection. It does not allocate.
func (f *Filter) Match(r *Reply) bool { return f.MatchMine(r, false) }

// MatchMine reports whether the filter selects a reply. mine is set if the reply answers a command
// of the subscribing connection, which matters only if [Filter.Mine] is true. It does not allocate.
func (f *Filter) MatchMine(r *Reply, mine bool) bool { return f.selects(r, mine, nil, 0) }

// selects is the rule of the filter. It matches texts by way of a memo, in which the filter has this
// number and the reply is the current one. A nil memo remembers nothing.
func (f *Filter) selects(r *Reply, mine bool, m *Memo, number int) bool {
	return (f.internal == nil || *f.internal == r.Internal) &&
		(f.codes == "" || len(r.Code) == 1 && strings.Contains(f.codes, r.Code)) &&
		m.header(sender, f.sender, r.Sender, number) &&
		(f.mine && mine || m.header(commander, f.commander, r.Commander, number)) &&
		m.matched(f.commandID, r.CommandID) &&
		m.header(routing, f.routing, r.RoutingKey, number) &&
		(f.keyword == nil || m.anyKeyword(f.keyword, r.Keywords, number))
}

// Senders returns the only senders whose replies the filter may select, sorted; nil if it may select
// those of any sender. The sender "" stands for replies without one.
func (f *Filter) Senders() []string {
	if f.sender == nil || len(f.sender.patterns) > 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(f.sender.names))
}

// Mine reports whether the filter has the commander "me", so that the result depends on the
// connection.
func (f *Filter) Mine() bool { return f.mine }

// NeedsKeywords reports whether the filter tests Reply.Keywords, for which a body must be parsed.
func (f *Filter) NeedsKeywords() bool { return f.keyword != nil }

// Globs returns how many patterns the filter has. They cost time on every reply.
func (f *Filter) Globs() int {
	n := 0
	for _, l := range []*list{f.sender, f.routing, f.keyword, f.commandID, f.commander} {
		if l != nil {
			n += len(l.patterns)
		}
	}
	return n
}

// selectsAll reports whether the filter selects every reply.
func (f *Filter) selectsAll() bool { return f.key == "{}" }

// testsOnlySender reports whether the filter tests nothing but the sender, or nothing at all.
func (f *Filter) testsOnlySender() bool {
	return f.routing == nil && f.keyword == nil && f.commandID == nil && f.commander == nil && !f.mine && f.codes == "" && f.internal == nil
}

// OnlyMine reports whether the filter selects only replies to the connection's own commands.
func (f *Filter) OnlyMine() bool {
	return f.mine && f.commander != nil && len(f.commander.names)+len(f.commander.patterns) == 0
}
