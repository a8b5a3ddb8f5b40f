package access

import "sync"

// namedGrants keeps the grants of roles that have ${name}, by role and name, so that a principal's
// connections share them. Only the last ones are kept.
type namedGrants struct {
	mu  sync.Mutex
	now map[namedKey]*Grants
	old map[namedKey]*Grants // moves back to now when it is asked for
}

type namedKey struct{ role, name string }

// maxNamed is how many grants each of the two maps holds.
const maxNamed = 4096

// of returns the grants of a role for a principal's name. Those without a role, which came with a
// credential, are not kept: others of the same name may have others.
func (n *namedGrants) of(role string, g *Grants, name string) (*Grants, error) {
	if !g.Named() || role == "" {
		return g.For(name)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	key := namedKey{role, name}
	if kept, ok := n.now[key]; ok {
		return kept, nil
	}
	kept, ok := n.old[key]
	if !ok {
		var err error
		if kept, err = g.For(name); err != nil {
			return nil, err
		}
	}
	if len(n.now) >= maxNamed || n.now == nil {
		n.old, n.now = n.now, make(map[namedKey]*Grants)
	}
	n.now[key] = kept
	return kept, nil
}
