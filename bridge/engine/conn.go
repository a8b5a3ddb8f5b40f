package engine

import "github.com/gobwas/ws"

// Conn is a handle for a connection. It may be kept and used from any goroutine
// after the connection has ended; then its methods do nothing, as those of the zero
// value. None of them blocks, and all may be called from anywhere, so also from a
// [Handler] and with locks that Handlers take. Handles may be
// compared and be keys of a map: they are equal if they are one connection's, and
// none is ever equal to that of a connection before or after it.
type Conn struct {
	loop *loop
	connRef
}

// connRef names a connection to its loop, as long as it lasts.
type connRef struct {
	slot int32
	gen  uint32
}

// post has the loop do something to the connection, unless it has ended by then.
func (c Conn) post(do func(l *loop, c *conn)) {
	if c.loop == nil {
		return
	}
	c.loop.mail.post(func() {
		if conn := c.loop.lookup(c.connRef); conn != nil {
			do(c.loop, conn)
		}
	})
}

// Send queues a frame for this connection alone. It goes out between the frames
// of the connection's log, never inside one, and before those of the log that
// wait: it may overtake a frame appended earlier, but none that only waits to be due
// ([Log.AppendWithin]). What is no whole frame is left out, and logged.
func (c Conn) Send(f Frame) {
	if c.loop == nil || !c.loop.engine.validFrames("Conn.Send", f) {
		return
	}
	c.post(func(l *loop, c *conn) {
		if c.state == stateOpen {
			l.queueDelayed(c)
			l.send(c, f)
		}
	})
}

// Follow makes the connection follow a log (nil follows nothing) from the first
// frame on that is appended to it after the call. Before that one it is sent the
// frames in first, and before those what was appended to its former log before
// the call and is not written yet. What [Conn.Send] was given before the call
// goes out before first, and what it is given after the call behind.
//
// The caller sees to it that nothing is appended to either log during the call,
// with a lock around both, say: else nobody could tell what "after the call"
// is. Follow never blocks.
//
// The frames in first may be many, and may be given to many connections; neither
// they nor the slice may be changed any more. They are not bounded as those of
// Send are. A connection that takes nothing of what it is owed for as long as
// LogAge is closed with 1008, and so is one that is to follow yet another log
// while 64 MiB from former calls wait for it: also where Skip is set, which
// leaves out frames of a log only.
//
// A log of another engine, or frames that are no whole messages one behind the other,
// close the connection with 1011, and are logged.
func (c Conn) Follow(log *Log, first ...Frame) {
	switch {
	case c.loop == nil:
	case c.loop.engine.ownsLog("Conn.Follow", log) && c.loop.engine.validFrames("Conn.Follow", first...):
		c.loop.follow(c.connRef, log, first)
	default:
		c.Close(int(ws.StatusInternalServerError), reasonInternalError)
	}
}

// SendInOrder sends frames behind all that was appended to the connection's log before the
// call, and before what is appended after it. What is appended during the call comes
// before or behind them, and is not lost: other than Follow it needs no lock. Else the
// frames are as those that are given to Follow. SendInOrder never blocks.
func (c Conn) SendInOrder(frames ...Frame) {
	switch {
	case c.loop == nil:
	case c.loop.engine.validFrames("Conn.SendInOrder", frames...):
		c.post(func(l *loop, c *conn) {
			if c.state == stateOpen {
				l.queueFrames(c, frames, l.queueLog)
			}
		})
	default:
		c.Close(int(ws.StatusInternalServerError), reasonInternalError)
	}
}

// Close ends the connection with a close code and a reason in words. A code that
// may not be sent (RFC 6455, 7.4) becomes 1011. What the connection was sent before,
// by itself or by its log, goes out first, as far as the socket takes it at once.
func (c Conn) Close(code int, reason string) {
	c.post(func(l *loop, c *conn) {
		if l.flushAll(c) {
			l.beginClose(c, ws.StatusCode(code), reason)
		}
	})
}

// Finish ends the answers to a connection that is ending: see [Handler]. On other
// connections it does nothing.
func (c Conn) Finish() { c.post((*loop).finish) }

// state is where a connection stands in its life.
type state uint8

const (
	stateFree     state = iota // an empty slot of the slab
	stateHead                  // the request head is being read
	stateOpen                  // a WebSocket connection
	stateClosing               // our close frame is queued or sent; the peer's is awaited
	stateLinger                // nothing more is sent; input is discarded until the peer hangs up
	stateRejected              // an HTTP answer is on its way out; then it lingers
)

// conn is a connection, owned by its loop.
type conn struct {
	session  any
	ring     *ring     // the log it follows
	cursor   uint64    // the next frame of the log it has not had
	parser   *parser   // nil while no message is incomplete
	incoming *incoming // nil once its request is accepted
	out      *outbound // frames of its own, and the rest of a frame cut short; nil when none
	tls      *tlsLayer // nil without TLS

	followerIndex int32 // its place among the ring's members
	fd            int32
	slot          int32
	gen           uint32
	limiter       rateLimiter
	addrCount     *addrCount // nil if its address is not counted
	deadline      tick       // when the loop must look at it
	lastSent      tick       // when something was sent
	older         int32      // its neighbours in its slot of the wheel; see wheel.slots
	newer         int32
	timer         uint8 // its slot of the wheel
	timed         bool  // it is in the wheel
	state         state

	blocked       bool // the socket is full; the poller will report room
	stalled       bool // its input may have waited during a stall
	pinged        bool // a ping went out since something was read
	finishing     bool // the peer began to close, or broke the protocol; answers still go out
	closeReceived bool // no answer to our close frame is awaited
	eof           bool // the peer will send nothing more
	deflate       bool // permessage-deflate was negotiated
	flushQueued   bool // it is in the loop's list of those to flush
	slowWatched   bool // it is in the loop's list of those that were lent frames
	paused        bool // reading is paused because it does not read
	readQueued    bool // it is in the loop's list of those to read on
	upgraded      bool // the answer to its upgrade request is out
}

func (c *conn) ref() connRef { return connRef{c.slot, c.gen} }

// outbound gives the frames of the connection's own.
func (c *conn) outbound() *outbound {
	if c.out == nil {
		c.out = &outbound{}
	}
	return c.out
}

// slabSize is how many connections are allocated together: a whole number of pages. Go puts
// a header before what is smaller than that, for which the next size may be much larger.
const slabSize = 256

// slab holds a loop's connections in slots that never move, so that they can be
// pointed to, and found by slot and generation.
type slab struct {
	chunks []*[slabSize]conn
	free   []int32
	used   int
}

// alloc gives a free connection with a generation never used for its slot.
func (s *slab) alloc() *conn {
	if len(s.free) == 0 {
		base := int32(len(s.chunks) * slabSize)
		s.chunks = append(s.chunks, new([slabSize]conn))
		for i := int32(slabSize - 1); i >= 0; i-- {
			s.free = append(s.free, base+i)
		}
	}
	slot := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	s.used++
	c := s.at(slot)
	c.slot = slot
	return c
}

func (s *slab) at(slot int32) *conn { return &s.chunks[slot/slabSize][slot%slabSize] }

// release frees a connection's slot. From then on it has another generation.
func (s *slab) release(c *conn) {
	*c = conn{slot: c.slot, gen: c.gen + 1}
	s.free = append(s.free, c.slot)
	s.used--
}

// each visits every connection in use. The visitor may release it.
func (s *slab) each(visit func(*conn)) {
	for _, chunk := range s.chunks {
		for i := range chunk {
			if chunk[i].state != stateFree {
				visit(&chunk[i])
			}
		}
	}
}
