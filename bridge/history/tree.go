package history

import (
	"slices"
	"strconv"
	"strings"
)

// node is a keyword, or a member or an item of one.
type node struct {
	parent   *node
	key      string
	children map[string]*node
	items    []*node // of an array
	numbers  []*series
	states   []*series
	writer   *series // of the last value

	// The members of a reply usually come in the same order: these are guesses that save looking
	// for them.
	first, next *node // the member that came first, and the one that came after this

	// said is a list by nextSaid of the members that the last object had, with those that were removed since.
	said, nextSaid *node
	saidCount      int32
	saidIn         uint32 // the object that it was in last
	index          int32  // in parent.items, or -1
	saidItems      uint8  // how many items the last list had
	isSaid         bool   // it is in parent.said
	removed        bool
}

// member returns the member that comes after another one of the same object (nil at first), or nil
// if there may be no more.
func (n *node) member(a *actor, after *node, key []byte) *node {
	guess := &n.first
	if after != nil {
		guess = &after.next
	}
	if g := *guess; g != nil && g.key == string(key) && !g.removed {
		return g
	}
	c := n.child(a, key)
	if c != nil {
		*guess = c
	}
	return c
}

// child returns a member, or nil if its name is too long. At the limit it replaces those that were heard least
// recently.
func (n *node) child(a *actor, key []byte) *node {
	if c := n.children[string(key)]; c != nil {
		return c
	}
	if len(key) > maxKey {
		return nil
	}
	if len(n.children) >= maxMembers {
		a.forgetMembers(n)
	}
	if n.children == nil {
		n.children = map[string]*node{}
	}
	c := &node{parent: n, key: string(key), index: -1}
	n.children[c.key] = c
	a.charge(nodeCost + len(key))
	return c
}

// say adds a member to those that the last object had.
func (n *node) say() {
	n.isSaid, n.nextSaid, n.parent.said = true, n.parent.said, n
	n.parent.saidCount++
}

// item returns an item of an array.
func (n *node) item(a *actor, i int) *node {
	for len(n.items) <= i {
		n.items = append(n.items, nil)
	}
	if n.items[i] == nil {
		n.items[i] = &node{parent: n, index: int32(i)}
		a.charge(nodeCost)
	}
	return n.items[i]
}

// series returns the keyword's series of a kind and an origin, or nil.
func (n *node) series(kind kind, o *Origin) *series {
	for _, s := range *n.of(kind) {
		if s.origin == o {
			return s
		}
	}
	return nil
}

// kind says what a series has.
type kind uint8

const (
	numeric kind = iota
	state
)

func (n *node) of(k kind) *[]*series {
	if k == numeric {
		return &n.numbers
	}
	return &n.states
}

func (s *series) kind() kind {
	if s.numbers != nil {
		return numeric
	}
	return state
}

// removeSeries removes a series, and the nodes that lead to nothing else.
func (a *actor) removeSeries(s *series) {
	s.columns(func(c *column) {
		a.charge(-c.chunks * chunkBytes)
		c.clear(&a.store.arena)
	})
	a.charge(-s.cost())
	of := s.node.of(s.kind())
	*of = slices.DeleteFunc(*of, func(o *series) bool { return o == s })
	if s.node.writer == s {
		s.node.writer = nil
	}
	last := a.series[len(a.series)-1]
	a.series[s.at], last.at = last, s.at
	a.series = a.series[:len(a.series)-1]
	a.prune(s.node)
}

// prune removes nodes without values.
func (a *actor) prune(n *node) {
	for n.parent != nil && len(n.numbers)+len(n.states)+len(n.children)+len(n.items) == 0 {
		a.charge(-nodeCost - len(n.key))
		p := n.parent
		n.removed, n.first, n.next = true, nil, nil // what it led to may be gone, too
		if n.index < 0 {
			delete(p.children, n.key)
		} else {
			p.items[n.index] = nil
			for len(p.items) > 0 && p.items[len(p.items)-1] == nil {
				p.items = p.items[:len(p.items)-1]
			}
		}
		n = p
	}
}

// each calls do for each series at a node and below it.
func (n *node) each(do func(*series)) {
	for _, k := range [...]kind{numeric, state} {
		for _, s := range *n.of(k) {
			do(s)
		}
	}
	for _, c := range n.children {
		c.each(do)
	}
	for _, c := range n.items {
		if c != nil {
			c.each(do)
		}
	}
}

// find returns the node of a path below this one, such as keyword.member.0, or nil. A key may have
// dots itself: the longest key wins.
func (n *node) find(path string) *node {
	if path == "" {
		return nil
	}
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		for _, c := range [...]*node{n.children[path[:end]], n.itemAt(path[:end])} {
			if c == nil {
				continue
			}
			if end == len(path) {
				if c.writer != nil || len(c.numbers)+len(c.states) > 0 {
					return c
				}
			} else if found := c.find(path[end+1:]); found != nil {
				return found
			}
		}
	}
	return nil
}

// itemAt returns the item with a number as it is written, or nil.
func (n *node) itemAt(text string) *node {
	i, err := strconv.Atoi(text)
	if err != nil || i < 0 || i >= len(n.items) || strconv.Itoa(i) != text {
		return nil
	}
	return n.items[i]
}

// find returns the actor and the node of a keyword, such as actor.keyword.member. node is nil if
// there is none. An actor's name may have dots, too.
func (s *Store) find(path string) (*actor, *node) {
	for end := strings.IndexByte(path, '.'); end > 0; {
		if a := s.live.actors[path[:end]]; a != nil {
			if n := a.root.find(path[end+1:]); n != nil {
				return a, n
			}
		}
		more := strings.IndexByte(path[end+1:], '.')
		if more < 0 {
			break
		}
		end += 1 + more
	}
	return nil, nil
}
