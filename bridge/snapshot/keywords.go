package snapshot

import (
	"slices"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// Keywords are the keywords of a reply's body, found by [Store.Read]. They alias the body.
type Keywords struct {
	list    []keywordText
	evicted int // how many more there were, which count as evicted
}

// keywordText is a keyword in a body.
type keywordText struct{ name, value []byte }

// Each calls yield with each keyword and its value, in the order of the body, until yield returns
// false. The memory is the body's.
func (k *Keywords) Each(yield func(name, value []byte) bool) {
	for i := range k.list {
		if !yield(k.list[i].name, k.list[i].value) {
			return
		}
	}
}

// keptKeywords is how many keywords the memory that is reused may hold.
const keptKeywords = 4096

// Read finds the keywords in a body for [Store.Note], reusing the memory of into. It needs no
// lock, because a body may have very many keywords.
func (s *Store) Read(body []byte, into *Keywords) {
	if cap(into.list) > keptKeywords {
		into.list = nil
	}
	into.list, into.evicted = into.list[:0], 0
	m := jsonscan.MembersOf(body)
	for {
		name, value, ok := m.Next()
		if !ok {
			break
		}
		into.list = append(into.list, keywordText{name, value})
	}
	if len(into.list) > s.limits.Keywords {
		into.keepLast(s.limits)
	}
}

// keepLast keeps as many keywords as an actor may have: the last ones, each with its
// last value.
func (k *Keywords) keepLast(l Limits) {
	last := make([]keywordText, 0, l.Keywords)
	names := make(map[string]bool, len(k.list))
	for _, one := range slices.Backward(k.list) {
		switch {
		case len(one.name) > l.Value:
			k.evicted++
		case names[string(one.name)]:
		case len(last) == l.Keywords:
			k.evicted++
			names[string(one.name)] = true
		default:
			last = append(last, one)
			names[string(one.name)] = true
		}
	}
	slices.Reverse(last)
	k.list = last
}
