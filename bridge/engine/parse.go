package engine

import "bytes"

// parse parses bytes just read, or, without any, those left from an earlier turn.
func (l *loop) parse(c *conn, data []byte) {
	p := c.parser
	if p == nil {
		p = l.parsers.get()
		if c.deflate {
			p.deflate = l.engine.deflate
		}
	}
	c.parser = p
	if p.rest.pending() {
		data = p.rest.left
	}
	l.scratch.sink = connSink{l, c, c.gen}
	gen := c.gen
	rest, err := p.feed(data, l.engine.cfg.MaxMessage, &l.scratch.sink)
	if c.gen != gen {
		return // a frame that it was sent found the connection broken; drop returned the parser
	}
	if err != nil {
		l.returnParser(c)
		l.beginFinish(c, *err)
		return
	}
	if p.rest.keep(rest); p.rest.pending() {
		l.queueRead(c)
	}
	if p.idle() {
		l.returnParser(c)
		return
	}
	if l.engine.inbound.update(&p.counted, cap(p.message)+p.rest.size) {
		l.beginClose(c, statusTryAgainLater, reasonInboundFull)
	}
}

// returnParser returns a connection's parser to the free list.
func (l *loop) returnParser(c *conn) {
	p := c.parser
	c.parser = nil
	if p == nil {
		return
	}
	l.engine.inbound.update(&p.counted, 0)
	message := p.message[:0]
	if cap(message) > readSize {
		message = nil
	}
	*p = parser{message: message}
	l.parsers.put(p)
}

// remainder is input left unparsed because the client's quantum was used up.
type remainder struct {
	left []byte
	size int // capacity of the memory behind left
}

func (r *remainder) pending() bool { return len(r.left) > 0 }

// keep keeps the bytes for the next turn: a copy, unless they are the tail of what it keeps
// already.
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
