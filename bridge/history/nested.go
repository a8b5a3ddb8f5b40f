package history

import "github.com/clu-ws/clu-ws/internal/jsonscan"

// object records the members of an object. Those that it no longer has are null from now on.
func (n *noting) object(at *node, value []byte, depth int) {
	n.noValue(at)
	n.noItems(at, 0)
	n.a.store.objects = max(1, n.a.store.objects+1)
	object, had, kept := n.a.store.objects, at.saidCount, int32(0)
	if depth == 0 {
		n.a.store.leftOut++
	} else {
		var last *node
		for m := jsonscan.MembersOf(value); ; {
			name, value, ok := m.Next()
			if !ok {
				break
			}
			last = n.member(at, last, name, value, depth-1)
			if last == nil || last.saidIn == object {
				continue
			}
			last.saidIn = object
			if last.isSaid {
				kept++
				continue
			}
			last.say()
		}
	}
	if kept < had {
		n.noMembers(at, object)
	}
}

// list records the items of a list. Those that it no longer has are null from now on.
func (n *noting) list(at *node, value []byte, depth int) {
	n.noValue(at)
	n.noMembers(at, 0)
	i := 0
	if depth == 0 {
		n.a.store.leftOut++
	} else {
		for item := range jsonscan.Elements(value) {
			if i == maxItems {
				n.a.store.leftOut++
				break
			}
			n.value(at.item(n.a, i), item, depth-1)
			i++
		}
	}
	n.noItems(at, i)
	at.saidItems = uint8(i)
}

// nothingBelow records that a keyword is neither an object nor a list.
func (n *noting) nothingBelow(at *node) {
	n.noMembers(at, 0)
	n.noItems(at, 0)
}

// gone records that a member or an item is no longer there, with everything below it.
func (n *noting) gone(at *node) {
	n.noValue(at)
	n.nothingBelow(at)
}

// noValue records that a keyword has no value of its own: it is an object, a list, or not there.
func (n *noting) noValue(at *node) {
	if len(at.numbers)+len(at.states) > 0 {
		n.null(at)
	}
}

// noMembers records that the members are gone that were not in an object.
func (n *noting) noMembers(at *node, object uint32) {
	for place := &at.said; *place != nil; {
		c := *place
		if object != 0 && c.saidIn == object {
			place = &c.nextSaid
			continue
		}
		*place = c.nextSaid
		c.nextSaid, c.isSaid = nil, false
		at.saidCount--
		if !c.removed {
			n.gone(c)
		}
	}
}

// noItems records that the items from an index on are gone.
func (n *noting) noItems(at *node, from int) {
	for i := from; i < min(int(at.saidItems), len(at.items)); i++ {
		if at.items[i] != nil {
			n.gone(at.items[i])
		}
	}
	at.saidItems = min(at.saidItems, uint8(from))
}
