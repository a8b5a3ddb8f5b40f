package snapshot

import (
	"cmp"
	"slices"
	"strings"
)

// Encoder encodes the keywords of a store that a filter selects, as JSON: the members
// of an object, one for each actor, sorted by name. It is incremental, so that a second
// snapshot costs only what has changed since the first, and works in bounded steps that
// need no lock:
//
//	Start (lock) ──► Step, Step ... ──► Start (lock): what came meanwhile ──► ... ──► Finish (lock)
//
// The text is in immutable parts, which callers may keep. An encoder is for one
// goroutine, which holds the store's lock for Start and Finish.
type Encoder struct {
	keep  func(Entry) bool         // nil means everything
	seen  *Visible                 // nil means everything
	room  int                      // bytes left free in front of each part
	seal  func(text []byte) []byte // makes a part from the text after that room
	parts []*part
	upTo  uint64 // the order of the last reply in it

	// What is being written.
	todo     []actorView // the next one first
	removed  []string
	written  []text // of those that are done
	at       int    // index of the next keyword of todo[0]
	kept     []*keyword
	sight    sight  // of todo[0]
	next     uint64 // upTo, when it is done
	scratch  []byte
	splicing *splicing // nil until all is written
}

// NewEncoder returns an empty encoder of the keywords that keep selects, as far as they are visible;
// nil selects all. Each part begins with room bytes for a header, and is passed to seal once.
func NewEncoder(keep func(Entry) bool, seen *Visible, room int, seal func(text []byte) []byte) *Encoder {
	return &Encoder{keep: keep, seen: seen, room: room, seal: seal}
}

// Parts returns the encoded parts, each as returned by seal.
func (p *Encoder) Parts() [][]byte {
	parts := make([][]byte, len(p.parts))
	for i := range p.parts {
		parts[i] = p.parts[i].sealed
	}
	return parts
}

// Bytes returns the memory of the parts.
func (p *Encoder) Bytes() (n int) {
	for _, part := range p.parts {
		n += len(part.buf)
	}
	return n
}

// Start takes a view of the changes since the encoder was up to date, unless it is already
// busy.
func (p *Encoder) Start(s *Store) {
	if !p.busy() {
		p.take(s)
		s.views++
	}
}

func (p *Encoder) busy() bool { return p.next > p.upTo }

func (p *Encoder) take(s *Store) {
	changed, evicted, now := s.changed(p.upTo)
	for _, a := range changed {
		p.todo = append(p.todo, a.view())
	}
	if evicted {
		for _, part := range p.parts {
			for _, t := range part.texts {
				if s.actors[t.name] == nil {
					p.removed = append(p.removed, t.name)
				}
			}
		}
	}
	p.next = now
}

// Near reports whether the encoder lacks at most most keywords to be up to date. The store's lock
// is held, as for Start.
func (p *Encoder) Near(s *Store, most int) bool { return !p.busy() && s.near(p.upTo, most) }

// Finish brings the encoder up to date at once if that takes at most most keywords. Otherwise it
// returns false, and Start is due again.
func (p *Encoder) Finish(s *Store, most int) bool {
	if !p.Near(s, most) {
		return false
	}
	p.take(s)
	for !p.Step(func(int) bool { return false }) {
	}
	return true
}

// Step works until everything started is written, or enough returns true. enough is called after
// every few keywords, with the bytes written since its last call.
func (p *Encoder) Step(enough func(bytes int) bool) (done bool) {
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
		p.todo, p.at, p.kept, p.sight = p.todo[1:], 0, p.kept[:0], sight{}
		if enough(len(t.json)) {
			return false
		}
	}
	for _, name := range p.removed {
		p.written = append(p.written, text{name: name})
	}
	p.removed = nil
	if !p.splice(enough) {
		return false
	}
	p.todo, p.removed, p.written, p.kept, p.scratch = nil, nil, nil, nil, nil
	p.upTo = p.next
	return true
}

// keepSome appends the keywords that are visible and that keep selects.
func (p *Encoder) keepSome(keywords []*keyword) {
	p.sight.Visible = p.seen
	for _, k := range keywords {
		if p.seen != nil && !p.sight.keyword(k) {
			continue
		}
		if p.keep == nil || p.keep(k.entry()) {
			p.kept = append(p.kept, k)
		}
	}
}

// write writes an actor with the kept keywords, sorted by name. If a name is both public
// and internal, it writes the newer one.
func (p *Encoder) write(a *actorView) text {
	if len(p.kept) == 0 && p.keep != nil {
		return text{name: a.name}
	}
	if p.seen != nil {
		p.sight.Visible = p.seen
		visible := p.sight.actor(a)
		if a = &visible; a.last == nil {
			return text{name: a.name}
		}
	}
	slices.SortFunc(p.kept, func(k, o *keyword) int {
		return cmp.Or(strings.Compare(k.name, o.name), cmp.Compare(o.from.order, k.from.order))
	})
	p.kept = slices.CompactFunc(p.kept, func(k, o *keyword) bool { return k.name == o.name })
	p.scratch = a.append(p.scratch[:0], p.kept)
	return text{a.name, slices.Clone(p.scratch)}
}
