package engine

// Log is a stream of frames that any number of connections follow. What is
// appended reaches each of them in the same order.
type Log struct {
	engine *Engine
	rings  []ring // one for each loop, and owned by it
}

// NewLog makes a log without frames or followers.
func (e *Engine) NewLog() *Log {
	log := &Log{engine: e, rings: make([]ring, len(e.loops))}
	for i := range log.rings {
		log.rings[i].limit = e.cfg.LogBytes
	}
	return log
}

// Append adds a frame for every connection that follows the log. Frames of one
// caller keep their order. It blocks while a loop has more to do than it can
// hold, so that a fast source waits instead of filling memory.
func (g *Log) Append(f Frame) {
	for i, l := range g.engine.loops {
		l.mail.append(&g.rings[i], f)
	}
}

// ring is a log on one loop: the frames that not every member has had.
// Sequence numbers count from the first frame ever appended.
type ring struct {
	frames     []Frame // a circle; its length is a power of two
	tail, head uint64  // the oldest frame kept, and the next to come
	bytes      int     // of the frames kept
	limit      int     // of bytes

	members []*conn // who follows the log on this loop, in no order
	dirty   bool    // it is in the loop's list of rings to sweep

	// The pass over the members that is under way, or that will start next.
	pos      int    // the next member to visit
	from, to uint64 // the frames that this pass brings to members at from
	unswept  int    // bytes between to and head
	slowest  uint64 // the lowest cursor seen in this pass
	join     []byte // the frames from..to in one piece, once somebody needed it
}

func (r *ring) at(seq uint64) Frame { return r.frames[seq&uint64(len(r.frames)-1)] }

// push appends a frame. Past the limit the oldest frames go, whoever needs them,
// save those of the pass that is under way.
func (r *ring) push(f Frame) {
	if r.head-r.tail == uint64(len(r.frames)) {
		r.grow()
	}
	r.frames[r.head&uint64(len(r.frames)-1)] = f
	r.head++
	r.bytes += len(f)
	r.unswept += len(f)
	for r.bytes > r.limit && r.tail < r.from {
		r.drop()
	}
}

func (r *ring) grow() {
	bigger := make([]Frame, max(16, 2*len(r.frames)))
	for seq := r.tail; seq < r.head; seq++ {
		bigger[seq&uint64(len(bigger)-1)] = r.at(seq)
	}
	r.frames = bigger
}

// drop forgets the oldest frame.
func (r *ring) drop() {
	slot := r.tail & uint64(len(r.frames)-1)
	r.bytes -= len(r.frames[slot])
	r.frames[slot] = nil
	r.tail++
}

// release forgets the frames that every member has had.
func (r *ring) release(upTo uint64) {
	for r.tail < upTo {
		r.drop()
	}
	if r.tail == r.head && len(r.frames) > 1024 {
		r.frames = nil // a burst is over: its circle need not stay
	}
}

// startPass says which frames the next pass over the members brings: what has
// come since the last one, up to about a chunk of bytes.
func (r *ring) startPass(chunk int) {
	r.from = r.to
	r.slowest = r.head
	r.join = r.join[:0]
	if len(r.members) == 0 {
		r.to, r.unswept = r.head, 0
		return
	}
	for bytes := 0; r.to < r.head && (bytes == 0 || bytes+len(r.at(r.to)) <= chunk); r.to++ {
		n := len(r.at(r.to))
		bytes += n
		r.unswept -= n
	}
}

// run is the frames from seq to the end of the pass in one piece. Where most
// members are it is joined once and kept for the pass; else it is joined in
// scratch, up to about a chunk. It gives the sequence number behind the run.
func (r *ring) run(seq uint64, chunk int, scratch *[]byte) ([]byte, uint64) {
	if seq+1 == r.to {
		return r.at(seq), r.to
	}
	if seq == r.from {
		if len(r.join) == 0 {
			for s := r.from; s < r.to; s++ {
				r.join = append(r.join, r.at(s)...)
			}
		}
		return r.join, r.to
	}
	buf := (*scratch)[:0]
	for seq < r.to && (len(buf) == 0 || len(buf)+len(r.at(seq)) <= chunk) {
		buf = append(buf, r.at(seq)...)
		seq++
	}
	*scratch = buf
	return buf, seq
}

// add makes a connection follow the log from the next frame on.
func (r *ring) add(c *conn) {
	c.ring, c.cursor, c.member = r, r.head, len(r.members)
	r.members = append(r.members, c)
}

// remove ends a connection's following. The members that the pass has not
// visited yet stay behind pos.
func (r *ring) remove(c *conn) {
	hole := c.member
	move := func(from, to int) {
		r.members[to] = r.members[from]
		r.members[to].member = to
	}
	if hole < r.pos {
		r.pos--
		move(r.pos, hole)
		hole = r.pos
	}
	last := len(r.members) - 1
	if hole != last {
		move(last, hole)
	}
	r.members[last] = nil
	r.members = r.members[:last]
	c.ring = nil
}
