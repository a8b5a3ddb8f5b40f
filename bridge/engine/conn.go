package engine

import "github.com/gobwas/ws"

// Conn is a handle for a connection. It may be kept and used from any goroutine, even after
// the connection has ended; then, as for the zero value, its methods do nothing. No method
// blocks, and all may be called from a [Handler] and with locks held that Handlers take.
// Handles are comparable and may be map keys: two are equal only if they belong to the same
// connection.
type Conn struct {
	loop *loop
	connRef
}

// connRef identifies a connection to its loop for as long as it lasts.
type connRef struct {
	slot int32
	gen  uint32
}

// post runs a function on the connection's loop, unless the connection has ended by then.
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

// Send queues a frame for this connection only. It goes out between frames of the
// connection's log, never inside one, and ahead of log frames that still wait: it may
// overtake a frame appended earlier, but not one that is only delayed ([Log.AppendWithin]).
// An incomplete or invalid frame is dropped, and logged.
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

// Follow makes the connection follow another log, or none if it is nil. The client
// receives, in this order: frames appended to its former log before the call; frames given
// to [Conn.Send] before the call; the frames in first; and frames appended to the new log
// after the call. Frames given to Send after the call come after first.
//
// The caller must make sure that nothing is appended to either log during the call, for
// example with a lock around both; otherwise "before" and "after" would be undefined.
// Follow never blocks.
//
// There may be many frames in first, and they may be given to many connections; neither
// they nor the slice may be changed afterwards. Unlike the frames of Send they are not
// bounded. A connection that reads none of its queued frames for LogAge is closed with
// 1008, and so is one that should follow another log while 64 MiB from earlier calls
// are still queued. Skip does not apply: it skips frames of a log only.
//
// A log of another engine, or frames that are not a sequence of whole messages, close the
// connection with 1011, and are logged.
func (c Conn) Follow(log *Log, first ...Frame) {
	switch {
	case c.loop == nil:
	case c.loop.engine.ownsLog("Conn.Follow", log) && c.loop.engine.validFrames("Conn.Follow", first...):
		c.loop.follow(c.connRef, log, first)
	default:
		c.Close(int(ws.StatusInternalServerError), reasonInternalError)
	}
}

// SendInOrder queues frames after everything that was appended to the connection's log
// before the call, and before everything appended after it. Frames appended during the call
// come before or after them and are not lost, so unlike Follow it needs no lock. Otherwise
// the frames are treated like those given to Follow. SendInOrder never blocks.
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

// Close closes the connection with a close code and a reason. A code that may not be sent
// (RFC 6455, 7.4) becomes 1011. Frames already queued for the connection, directly or by
// its log, go out first, as far as the socket takes them at once.
func (c Conn) Close(code int, reason string) {
	c.post(func(l *loop, c *conn) {
		if l.flushAll(c) {
			l.beginClose(c, ws.StatusCode(code), reason)
		}
	})
}

// Finish ends the answers to a connection that is closing: see [Handler]. On other
// connections it does nothing.
func (c Conn) Finish() { c.post((*loop).finish) }

// state is a connection's stage of life.
type state uint8

const (
	stateFree     state = iota // an empty slot of the slab
	stateHead                  // the request head is being read
	stateParked                // the request is decided elsewhere
	stateOpen                  // open as a WebSocket
	stateClosing               // our close frame is queued or sent; we wait for the peer's
	stateLinger                // everything is sent; input is discarded until the peer hangs up
	stateRejected              // an HTTP response is being sent; then it lingers
)

// conn is a connection, owned by its loop.
type conn struct {
	session  any
	ring     *ring     // the log it follows
	cursor   uint64    // the next frame of the log to write
	parser   *parser   // nil unless a message is incomplete
	incoming *incoming // nil once its request is accepted
	out      *outbound // frames for this connection only, and the rest of a partly written frame; nil when empty
	tls      *tlsLayer // nil without TLS

	followerIndex int32 // its index among the ring's followers
	fd            int32
	slot          int32
	gen           uint32
	limiter       rateLimiter
	addrCount     *addrCount // nil if its address is not counted
	deadline      tick       // when the loop must look at it
	lastSent      tick       // when something was last sent
	older         int32      // its neighbors in its slot of the wheel; see wheel.slots
	newer         int32
	timer         uint8 // its slot of the wheel
	timed         bool  // it is in the wheel
	state         state

	blocked       bool // the socket is full; the poller will report when it is writable
	late          bool // its input may have waited during a pause
	pinged        bool // a ping was sent and nothing read since
	finishing     bool // the peer has begun to close or violated the protocol; answers still go out
	closeReceived bool // no reply to our close frame is awaited
	eof           bool // the peer will send nothing more
	deflate       bool // permessage-deflate was negotiated
	flushQueued   bool // it is in loop.toFlush
	slowWatched   bool // it is in loop.slowWatches
	paused        bool // reading is paused because the peer does not read
	readQueued    bool // it is in loop.toRead
	upgraded      bool // the response to its upgrade request is written
}

func (c *conn) ref() connRef { return connRef{c.slot, c.gen} }

// outbound returns the connection's own queue, which it creates if necessary.
func (c *conn) outbound() *outbound {
	if c.out == nil {
		c.out = &outbound{}
	}
	return c.out
}

// slabSize is the number of connections allocated together: a whole number of pages.
// Smaller objects get a header, which may push them into a much larger size class.
const slabSize = 256

// slab holds a loop's connections in slots that never move, so that pointers to them stay
// valid and a slot and its generation identify a connection.
type slab struct {
	chunks []*[slabSize]conn
	free   []int32
	used   int
}

// alloc returns a free connection whose generation is new for its slot.
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

// release frees a connection's slot and increments its generation.
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
