package engine

import "bytes"

// remainder is input from a client that is not parsed yet because its turn was over.
type remainder struct {
	left []byte
	size int // of the memory behind left
}

func (r *remainder) pending() bool { return len(r.left) > 0 }

// keep keeps the bytes until the next turn: a copy, unless they are the tail of what it
// keeps already.
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

// hold counts the bytes that a parser keeps between turns, and reports whether the
// engine exceeds its bound.
func (e *Engine) hold(p *parser) bool {
	if n := cap(p.message) + p.rest.size - p.held; n != 0 {
		p.held += n
		return e.held.Add(int64(n)) > int64(e.cfg.MaxHeld) && n > 0
	}
	return false
}

// release returns a parser's bytes to the engine's account.
func (e *Engine) release(p *parser) {
	if p.held != 0 {
		e.held.Add(-int64(p.held))
		p.held = 0
	}
}
