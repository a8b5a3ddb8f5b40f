//go:build unix

package engine

// parse parses bytes just read, or, without any, those that an earlier turn left.
func (l *loop) parse(c *conn, data []byte) {
	p := c.in
	if p == nil {
		p = l.borrowParser()
		if c.deflate {
			p.deflate = l.engine.deflate
		}
	}
	c.in = p
	if p.rest.pending() {
		data = p.rest.left
	}
	l.sink = connSink{l, c, c.gen}
	gen := c.gen
	rest, err := p.feed(data, l.engine.cfg.MaxMessage, &l.sink)
	if c.gen != gen || c.state == stateFree {
		return // dropped by what it sent; drop gave the parser back
	}
	if err != nil {
		l.returnParser(c)
		l.violated(c, err)
		return
	}
	if p.rest.keep(rest); p.rest.pending() {
		l.readLater(c)
	}
	if p.idle() {
		l.returnParser(c)
		return
	}
	if l.engine.hold(p) {
		l.beginClose(c, tryAgainLater, heldTooMuch)
	}
}

func (l *loop) borrowParser() *parser {
	if n := len(l.parsers); n > 0 {
		p := l.parsers[n-1]
		l.parsers = l.parsers[:n-1]
		return p
	}
	return new(parser)
}

// returnParser takes a connection's parser back, without what it held.
func (l *loop) returnParser(c *conn) {
	p := c.in
	c.in = nil
	if p != nil {
		l.engine.release(p)
	}
	if p == nil || len(l.parsers) >= spareParsers {
		return
	}
	message := p.message[:0]
	if cap(message) > readSize {
		message = nil
	}
	*p = parser{message: message}
	l.parsers = append(l.parsers, p)
}
