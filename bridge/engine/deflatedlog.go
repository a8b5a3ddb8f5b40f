package engine

// Where clients may negotiate compression, a [Log] has a second log for those who did
// (Log.deflated), with the same frames compressed.
//
// It is a log of its own, and not a second frame beside each first one, so that a ring
// stays simple: it holds one frame per sequence number and joins its runs once for all its
// followers. Which of the two logs a connection follows is decided when it opens.

// NewLog returns an empty log without followers. It may be called from anywhere.
func (e *Engine) NewLog() *Log {
	log := e.newLog()
	if e.deflate != nil {
		log.deflated = e.newLog()
	}
	return log
}

// hasFollowers reports whether the log is followed, or may be about to be.
func (g *Log) hasFollowers() bool { return g != nil && g.followers.Load() > 0 }

// reserveDeflated counts a connection that may be about to follow the compressed log, so
// that its frames are made; -1 ends that.
func (g *Log) reserveDeflated(n int64) {
	if g != nil && g.deflated != nil {
		g.deflated.followers.Add(n)
	}
}

// forEncoding returns the log that a connection follows in place of this one: the
// compressed one if it negotiated compression.
func (g *Log) forEncoding(deflate bool) *Log {
	if deflate && g != nil && g.deflated != nil {
		return g.deflated
	}
	return g
}
