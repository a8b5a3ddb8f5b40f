package engine

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// chunkSize is about how many bytes a write brings to one connection, so that a
// burst goes out to all of them side by side.
const chunkSize = 64 << 10

// Log is a stream of frames that any number of connections follow. What is
// appended reaches each of them in the same order.
type Log struct {
	engine      *Engine
	orderMu     sync.Mutex    // all loops get the frames of all callers in one order
	rings       []ring        // one for each loop, and owned by it
	appended    atomic.Uint64 // frames ever
	closed      atomic.Bool   // nothing is appended any more
	deflatedLog               // for those that negotiated compression
}

// newLog makes a log of frames that go out as they are.
func (e *Engine) newLog() *Log {
	log := &Log{engine: e, rings: make([]ring, len(e.loops))}
	for i := range log.rings {
		log.rings[i].limit, log.rings[i].followerCount = e.cfg.LogBytes, &log.followers
	}
	return log
}

// Append adds a frame for every connection that follows the log. Frames of one
// caller keep their order, and all followers get those of all callers in one order.
// After [Log.Close] it does nothing.
//
// Append waits for no client and no loop, and may be called from anywhere, also from a
// [Handler] and with locks that Handlers take. A source that can be faster than the
// loops calls [Engine.AwaitCapacity] in between. From one that does not, a loop takes at
// most 32 MiB before it drops what its clients have not been offered (Limits.LogBytes);
// they are then too slow. Only a loop that stands still, because a Handler blocks it
// against the rules, takes nothing.
//
// What is no whole frame ([Text], [Binary], [NewText]) is left out, and logged.
func (g *Log) Append(f Frame) { g.append(f, 0) }

// AppendWithin is Append for a frame that may wait so long, for others that come until
// then: they leave together, in one write(2) for each client instead of several. The
// order is that of the calls. So what is appended to the log by Append takes all that
// waits with it at once, and so does a frame that may wait less. What waits also leaves
// early when it is more than about 64 KiB, and with whatever a client is sent behind it
// ([Conn.Send], [Conn.SendInOrder], [Conn.Follow], [Conn.Close]).
//
// A longer wait saves more system calls, and makes each frame late by up to that. The
// clock of a loop is as precise as the system's timers, a millisecond or so.
func (g *Log) AppendWithin(f Frame, wait time.Duration) {
	if wait <= 0 || g == nil || g.engine == nil {
		g.append(f, 0)
		return
	}
	g.append(f, g.engine.elapsed()+min(wait, maxDuration)) // the sum must not wrap
}

// append adds a frame that must leave by a time since the engine's start, or at once if
// that is 0.
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
	var small Frame // for those that negotiated compression
	if g.deflated.hasFollowers() {
		// It is made here, on the caller's goroutine, and before anything goes to a loop:
		// one that has gone to sleep again in between must be woken twice.
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

// Close ends the log: what was appended still goes out, and nothing is appended
// any more. Whoever follows it stays, and gets nothing more of it. The engine
// knows a log by its followers and by the frames that it keeps for them; without
// either, nothing holds it but its owner. Close never blocks, and may be called
// from anywhere and again.
func (g *Log) Close() { g.closed.Store(true) }

// next is the number of the next frame to come: where a new follower begins,
// wherever the frames before it are on their way to the loops. So nobody who
// has just come hears what somebody else heard before.
func (g *Log) next() uint64 { return g.appended.Load() }

// ring is a log on one loop: the frames that not every member has had.
type ring struct {
	frameQueue
	limit int // of bytes

	followers     []*conn       // who follows the log on this loop, in no order
	followerCount *atomic.Int64 // of members, over all loops; nil in tests
	dirty         bool          // it is in the loop's list of rings to sweep
	active        bool          // it is in the loop's list of rings that have frames
	due           time.Duration // when the frames from to on must leave; 0 for at once
	heapIndex     int           // in the loop's heap of rings that hold frames, while due is not 0

	// The pass over the members that is under way, or that will start next.
	sweeping  bool   // it is under way
	pos       int    // the next member to visit
	from, to  uint64 // the frames that this pass brings to members at from
	unswept   int    // bytes between to and head
	minCursor uint64 // the lowest cursor seen in this pass
	joined    []byte // the frames from..to in one piece, once somebody needed it
}

// push appends a frame. Past the limit the oldest frames go, whoever needs them,
// save those of the pass that is under way.
func (r *ring) push(f Frame) {
	r.frameQueue.push(f)
	r.unswept += len(f)
	for r.bytes > r.limit && r.tail < r.from {
		r.drop()
	}
}

// dropFor drops frames that the members were not even offered, the oldest first, so
// that so many bytes more are within the limit.
func (r *ring) dropFor(bytes int) {
	for r.bytes+bytes > r.limit && r.tail < r.head {
		if r.tail == r.to {
			r.unswept -= len(r.at(r.to))
			r.to++
		}
		r.drop()
	}
}

// delayed reports whether what no pass has brought yet may wait.
func (r *ring) delayed() bool { return r.due > 0 && r.to < r.head }

// expire forgets frames that are older than so many ticks, and reports whether
// there were any.
func (r *ring) expire(now, age tick) bool {
	upTo := min(r.expiredBefore(now, age), r.from)
	if upTo <= r.tail {
		return false
	}
	r.release(upTo)
	return true
}

// shrink gives back memory that a ring without frames need not have.
func (r *ring) shrink() {
	r.joined = nil
	if len(r.frames) > minFrameQueue {
		r.frames = nil
	}
}

// startPass says which frames the next pass over the members brings: what has
// come since the last one, up to about a chunk of bytes.
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

// run is the frames from seq to the end of the pass in one piece. Where most
// members are it is joined once and kept for the pass; else it is joined in
// scratch, up to about a chunk. It gives the sequence number behind the run.
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

// add makes a connection follow the log from a frame on, which may be one that
// the ring does not have yet.
func (r *ring) add(c *conn, from uint64) {
	c.ring, c.cursor, c.followerIndex = r, from, int32(len(r.followers))
	r.followers = append(r.followers, c)
	if r.followerCount != nil {
		r.followerCount.Add(1)
	}
}

// remove ends a connection's following. The members that the pass has not
// visited yet stay behind pos.
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
