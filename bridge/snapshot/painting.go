package snapshot

import (
	"cmp"
	"slices"
	"strings"
)

// Painting is what of a store some filter lets through, as JSON: the members of an
// object, one for each actor, sorted by name. It is brought up to date actor by actor,
// so that a second snapshot costs what has changed since the first, and it is written
// in steps of bounded work that need no lock:
//
//	Start (lock) ──► Step, Step ... ──► Start (lock): what came meanwhile ──► ... ──► Finish (lock)
//
// The text is in parts that never change: those who are given them may keep them.
// Only one goroutine uses a painting; it has the store's lock for Start and Finish.
type Painting struct {
	keep  func(Entry) bool         // nil: everything
	room  int                      // in front of each part
	seal  func(text []byte) []byte // makes a part of what follows that room
	parts []*part
	upTo  uint64 // the order of the last reply in it

	// What is being written.
	todo    []shown // the next one first
	gone    []string
	written []text // of those that are done
	at      int    // the next keyword of the first one to do
	kept    []*keyword
	next    uint64 // upTo, when it is done
	scratch []byte
	hanging *hanging // nil until all is written
}

// NewPainting makes an empty painting of what keep lets through; nil is everything.
// Each part of it begins with room for a header, and is given to seal once.
func NewPainting(keep func(Entry) bool, room int, seal func(text []byte) []byte) *Painting {
	return &Painting{keep: keep, room: room, seal: seal}
}

// Parts are what was painted, each as seal made it. They are the list's own.
func (p *Painting) Parts() [][]byte {
	parts := make([][]byte, len(p.parts))
	for i := range p.parts {
		parts[i] = p.parts[i].sealed
	}
	return parts
}

// Bytes is how much memory the parts take.
func (p *Painting) Bytes() (n int) {
	for _, part := range p.parts {
		n += len(part.buf)
	}
	return n
}

// Start takes what has changed since the painting was up to date, unless it is busy
// already.
func (p *Painting) Start(s *Store) {
	if !p.busy() {
		p.take(s)
		s.views++
	}
}

func (p *Painting) busy() bool { return p.next > p.upTo }

func (p *Painting) take(s *Store) {
	changed, whole, now := s.changed(p.upTo)
	for _, a := range changed {
		p.todo = append(p.todo, a.show())
	}
	if whole {
		for _, part := range p.parts {
			for _, t := range part.texts {
				if s.actors[t.name] == nil {
					p.gone = append(p.gone, t.name)
				}
			}
		}
	}
	p.next = now
}

// Near reports whether no more than so many keywords are missing for the painting to be
// up to date. Its owner has the store's lock, as for Start.
func (p *Painting) Near(s *Store, most int) bool {
	return !p.busy() && s.near(p.upTo, most)
}

// Finish brings the painting up to date at once, if it is so near. Else it is false, and
// there is more to Start.
func (p *Painting) Finish(s *Store, most int) bool {
	if !p.Near(s, most) {
		return false
	}
	p.take(s)
	for !p.Step(func(int) bool { return false }) {
	}
	return true
}

// Step goes on until everything that was started is written, or enough says that it
// is enough for now. It is asked after every few keywords, and told how many bytes
// were written since it was asked last.
func (p *Painting) Step(enough func(bytes int) bool) (done bool) {
	const few = 16
	for len(p.todo) > 0 {
		a := &p.todo[0]
		for p.at < len(a.keywords) {
			end := min(p.at+few, len(a.keywords))
			p.keepSome(a.keywords[p.at:end])
			if p.at = end; enough(0) {
				return false
			}
		}
		t := p.write(a)
		p.written = append(p.written, t)
		p.todo, p.at, p.kept = p.todo[1:], 0, p.kept[:0]
		if enough(len(t.json)) {
			return false
		}
	}
	for _, name := range p.gone {
		p.written = append(p.written, text{name: name})
	}
	p.gone = nil
	if !p.hang(enough) {
		return false
	}
	p.todo, p.gone, p.written, p.kept, p.scratch = nil, nil, nil, nil, nil
	p.upTo = p.next
	return true
}

// keepSome takes the keywords that keep lets through.
func (p *Painting) keepSome(keywords []*keyword) {
	for _, k := range keywords {
		if p.keep == nil || p.keep(k.entry()) {
			p.kept = append(p.kept, k)
		}
	}
}

// write writes an actor with the keywords that were kept: sorted, and of one that it
// has of both kinds the newer one.
func (p *Painting) write(a *shown) text {
	if len(p.kept) == 0 && p.keep != nil {
		return text{name: a.name}
	}
	slices.SortFunc(p.kept, func(k, o *keyword) int {
		return cmp.Or(strings.Compare(k.name, o.name), cmp.Compare(o.from.order, k.from.order))
	})
	p.kept = slices.CompactFunc(p.kept, func(k, o *keyword) bool { return k.name == o.name })
	p.scratch = a.append(p.scratch[:0], p.kept)
	return text{a.name, slices.Clone(p.scratch)}
}
