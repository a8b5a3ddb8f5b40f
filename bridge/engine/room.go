package engine

import (
	"context"
	"sync"
	"sync/atomic"
)

// What waits in the mail of a loop, in bytes of frames and frameCost for each, is counted
// once for each log that a frame was appended to.
const (
	// mailBytes is what a source that calls [Engine.AwaitRoom] leaves waiting.
	mailBytes = 4 << 20
	// readBytes is where the loops stop reading from clients. Where a [Handler]
	// appends what it is told, the clients are the source, and wait in their sockets.
	readBytes = 4 * mailBytes
	// maxMail is where a loop takes what waits into the logs although their followers
	// have not been offered what is there: from then on LogBytes is the bound.
	maxMail = 8 * mailBytes
)

// gauge counts the mailboxes that are above a bound, until they are down to half of it.
type gauge struct {
	bound    int // of what frames cost, in bytes
	above    atomic.Int32
	relieved func() // called, without a lock, when none is above any more
}

// level is where one mailbox stands on a gauge. The mailbox's lock guards it.
type level struct {
	*gauge
	up bool
}

// rise notes that so much waits.
func (v *level) rise(cost int) {
	if !v.up && cost > v.bound {
		v.up = true
		v.above.Add(1)
	}
}

// fall notes that so little waits, and reports whether the caller must call relieved,
// once it holds no lock.
func (v *level) fall(cost int) bool {
	if !v.up || cost > v.bound/2 {
		return false
	}
	v.up = false
	return v.above.Add(-1) == 0
}

// room is what bounds the mail of all loops.
type room struct {
	sources gauge // above it, sources wait
	reading gauge // above it, the loops read nothing

	mu   sync.Mutex
	free chan struct{} // closed when sources need not wait any more; nil if none does
}

func (r *room) init(readOn func()) {
	r.sources = gauge{bound: mailBytes, relieved: r.release}
	r.reading = gauge{bound: readBytes, relieved: readOn}
}

// wait returns a channel that is closed when there is room; nil if there is some now.
func (r *room) wait() <-chan struct{} {
	if r.sources.above.Load() == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// Whoever relieves the gauge after this look finds the channel.
	if r.free == nil {
		r.free = make(chan struct{})
	}
	if r.sources.above.Load() == 0 {
		return nil
	}
	return r.free
}

func (r *room) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.free != nil {
		close(r.free)
		r.free = nil
	}
}

// HasRoom reports whether [Engine.AwaitRoom] would return at once. It may be called from
// anywhere.
func (e *Engine) HasRoom() bool { return e.room.sources.above.Load() == 0 }

// tooMuchToRead reports whether the loops have so much to bring to clients that they
// read nothing from them.
func (e *Engine) tooMuchToRead() bool { return e.room.reading.above.Load() > 0 }

// readOn has every loop look at the connections that it did not read from.
func (e *Engine) readOn() {
	for _, s := range e.shards {
		s.nudge()
	}
}

// AwaitRoom waits until no loop has more than its share of frames to distribute, 4 MiB,
// or the context ends, whose error it returns then. [Log.Append] never waits, so a
// source that can be faster than the loops calls AwaitRoom before each frame, or each
// batch, that it appends; that costs nothing while there is room. It waits for the
// work of the loops only, never for a client.
//
// It may be called from any goroutine, but not from a [Handler] or a callback of
// [Config], nor with a lock that one of these takes: the loop would wait for itself. A
// Handler needs no AwaitRoom: while too much waits, the loops read no further messages.
func (e *Engine) AwaitRoom(ctx context.Context) error {
	for free := e.room.wait(); free != nil; free = e.room.wait() {
		select {
		case <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
