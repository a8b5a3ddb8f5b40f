package engine

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// chunkSize is about how many bytes one write carries to a connection, so that all
// connections get a burst side by side.
const chunkSize = 64 << 10

// Log is a stream of frames that any number of connections follow. Each of them gets the
// appended frames in the same order.
type Log struct {
	engine    *Engine
	orderMu   sync.Mutex    // gives all loops the same order of frames
	rings     []ring        // one per loop, which owns it
	appended  atomic.Uint64 // frames so far
	closed    atomic.Bool   // nothing is appended any more
	followers atomic.Int64  // over all loops
	deflated  *Log          // the same frames compressed; nil without compression
}

// newLog returns a log of uncompressed frames.
func (e *Engine) newLog() *Log {
	log := &Log{engine: e, rings: make([]ring, len(e.loops))}
	for i := range log.rings {
		log.rings[i].limit, log.rings[i].followerCount = e.cfg.LogBytes, &log.followers
	}
	return log
}

// Append adds a frame for every connection that follows the log. All followers get all
// frames in one order, which keeps the order of each caller. After [Log.Close] it does
// nothing.
//
// Append never blocks, and may be called from anywhere, including a [Handler], and with
// locks held that Handlers take. A source that can be faster than the loops should call
// [Engine.AwaitCapacity] in between. Without that, a loop queues at most 32 MiB before it
// drops frames that its clients have not been offered (Limits.LogBytes); those clients then
// lag. Only a loop that a Handler blocks, against the rules, queues more.
//
// An incomplete or invalid frame is dropped, and logged; use [Text], [Binary] or [NewText].
func (g *Log) Append(f Frame) { g.append(f, 0) }

// AppendWithin is Append for a frame that may be delayed, so that it leaves together with
// later frames, in one write(2) per client instead of several. The order is that of the
// calls: a frame given to Append takes all delayed frames of the log along, and so does one
// with a shorter delay. Delayed frames also leave early when they exceed about 64 KiB, and
// ahead of anything else that is sent to the client ([Conn.Send], [Conn.SendInOrder],
// [Conn.Follow], [Conn.Close]).
//
// A longer wait saves more system calls and delays each frame by up to that much. The
// precision is that of the system's timers, about a millisecond.
func (g *Log) AppendWithin(f Frame, wait time.Duration) {
	if wait <= 0 || g == nil || g.engine == nil {
		g.append(f, 0)
		return
	}
	g.append(f, g.engine.elapsed()+min(wait, maxDuration)) // the sum must not overflow
}

// append adds a frame with a due time since the engine's start, 0 for at once.
func (g *Log) append(f Frame, due time.Duration) {
	if g == nil || g.engine == nil {
		panic("engine: Append to a Log that was not made by Engine.NewLog")
	}
	if !g.engine.validFrames("Log.Append", f) {
		return
	}
	g.orderMu.Lock()
	defer g.orderMu.Unlock()
	if g.closed.Load() {
		return
	}
	var small Frame
	if g.deflated.hasFollowers() {
		// It is compressed here, on the caller's goroutine, before anything goes to a loop:
		// a loop that went back to sleep in between would have to be woken twice.
		small = g.engine.deflate.frame(f)
		g.deflated.appended.Add(1)
	}
	g.appended.Add(1)
	for i, l := range g.engine.loops {
		l.mail.append(&g.rings[i], f, due)
		if small != nil {
			l.mail.append(&g.deflated.rings[i], small, due)
		}
	}
}

// Close ends the log: frames already appended still go out, and further ones are ignored.
// Followers stay, and receive nothing more from it. The engine refers to a log only while
// it has followers or frames kept for them; after that, only its owner does. Close never
// blocks, and may be called repeatedly and from anywhere.
func (g *Log) Close() { g.closed.Store(true) }

// next returns the number of the next frame, where a new follower begins. Frames before it
// may still be on their way to the loops, but a new client gets none of them.
func (g *Log) next() uint64 { return g.appended.Load() }

// ring is a log on one loop: the frames that some follower still needs.
type ring struct {
	frameQueue
	limit int // bytes

	followers     []*conn       // in no order
	followerCount *atomic.Int64 // over all loops; nil in tests
	dirty         bool          // it is in loop.dirty
	active        bool          // it is in loop.activeRings
	due           time.Duration // when delayed frames must leave; 0 if there are none
	heapIndex     int           // in loop.dueRings, while due is not 0

	// The current pass over the followers, or the next one.
	sweeping  bool
	pos       int    // the next follower to visit
	from, to  uint64 // the frames that this pass writes to followers
	unswept   int    // bytes between to and head
	minCursor uint64 // the lowest cursor seen in this pass
	joined    []byte // the frames from..to in one piece, once needed
}

// push appends a frame. Beyond the limit the oldest frames are dropped even if still
// needed, except those of the current pass.
func (r *ring) push(f Frame) {
	r.frameQueue.push(f)
	r.unswept += len(f)
	for r.bytes > r.limit && r.tail < r.from {
		r.drop()
	}
}

// dropFor drops the oldest frames, including those that no follower was offered, until so
// many more bytes fit the limit.
func (r *ring) dropFor(bytes int) {
	for r.bytes+bytes > r.limit && r.tail < r.head {
		if r.tail == r.to {
			r.unswept -= len(r.at(r.to))
			r.to++
		}
		r.drop()
	}
}

// delayed reports whether the frames after the last pass may wait.
func (r *ring) delayed() bool { return r.due > 0 && r.to < r.head }

// expire drops frames older than so many ticks, and reports whether there were any.
func (r *ring) expire(now, age tick) bool {
	upTo := min(r.expiredBefore(now, age), r.from)
	if upTo <= r.tail {
		return false
	}
	r.release(upTo)
	return true
}

// shrink frees memory that an empty ring does not need.
func (r *ring) shrink() {
	r.joined = nil
	if len(r.frames) > minFrameQueue {
		r.frames = nil
	}
}

// startPass selects the frames of the next pass: those since the last one, up to about a
// chunk.
func (r *ring) startPass(chunk int) {
	r.sweeping = true
	r.from = r.to
	r.minCursor = r.head
	r.joined = r.joined[:0]
	if len(r.followers) == 0 {
		r.to, r.unswept = r.head, 0
		return
	}
	for bytes := 0; r.to < r.head && (bytes == 0 || bytes+len(r.at(r.to)) <= chunk); r.to++ {
		n := len(r.at(r.to))
		bytes += n
		r.unswept -= n
	}
}

// run returns the frames from seq to the end of the pass in one piece, and the sequence
// number after them. For most followers that is the whole pass, which is joined once; for
// the others up to about a chunk is joined in scratch.
func (r *ring) run(seq uint64, chunk int, scratch *[]byte) ([]byte, uint64) {
	if seq+1 == r.to {
		return r.at(seq), r.to
	}
	if seq == r.from {
		if len(r.joined) == 0 {
			r.joined, _ = r.join(r.joined, r.from, r.to, math.MaxInt)
		}
		return r.joined, r.to
	}
	*scratch, seq = r.join((*scratch)[:0], seq, r.to, chunk)
	return *scratch, seq
}

// add makes a connection follow the log from a frame on, which may not have arrived in the
// ring yet.
func (r *ring) add(c *conn, from uint64) {
	c.ring, c.cursor, c.followerIndex = r, from, int32(len(r.followers))
	r.followers = append(r.followers, c)
	if r.followerCount != nil {
		r.followerCount.Add(1)
	}
}

// remove removes a follower. Those that the pass has not visited yet stay after pos.
func (r *ring) remove(c *conn) {
	hole := int(c.followerIndex)
	move := func(from, to int) {
		r.followers[to] = r.followers[from]
		r.followers[to].followerIndex = int32(to)
	}
	if hole < r.pos {
		r.pos--
		move(r.pos, hole)
		hole = r.pos
	}
	last := len(r.followers) - 1
	if hole != last {
		move(last, hole)
	}
	r.followers[last] = nil
	r.followers = r.followers[:last]
	c.ring = nil
	if r.followerCount != nil {
		r.followerCount.Add(-1)
	}
}
