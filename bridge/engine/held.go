package engine

import "bytes"

// remainder is what was read from a client and is not parsed yet, because its turn
// was over.
type remainder struct {
	left []byte
	size int // of the memory behind left
}

func (r *remainder) pending() bool { return len(r.left) > 0 }

// keep holds the bytes until the next turn: a copy, unless they are the end of
// what it has already.
func (r *remainder) keep(rest []byte) {
	switch {
	case len(rest) == 0:
		*r = remainder{}
	case r.pending():
		r.left = rest
	default:
		r.left = bytes.Clone(rest)
		r.size = cap(r.left)
	}
}

// hold counts what a parser keeps from one turn to the next, and reports whether
// that is more than the engine may hold in all.
func (e *Engine) hold(p *parser) bool {
	if n := cap(p.message) + p.rest.size - p.held; n != 0 {
		p.held += n
		return e.held.Add(int64(n)) > int64(e.cfg.MaxHeld) && n > 0
	}
	return false
}

// release counts what a parser kept as given back.
func (e *Engine) release(p *parser) {
	if p.held != 0 {
		e.held.Add(-int64(p.held))
		p.held = 0
	}
}
