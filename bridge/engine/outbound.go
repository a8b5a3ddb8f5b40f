package engine

import "github.com/gobwas/ws"

const (
	// maxOutbound bounds the bytes of frames queued directly for one connection, not
	// counting the one being written, which may be of any size.
	maxOutbound = 4 << 20
	// maxShared bounds the bytes from earlier calls of [Conn.Follow] that may still be
	// queued when a connection is to follow another log. One call may queue more.
	maxShared = 64 << 20
	// frameCost is the approximate overhead of a queued frame.
	frameCost = 64
)

// outbound is the queue of frames for a single connection.
type outbound struct {
	frames      []queuedFrame
	offset      int // bytes of the first frame already written
	directBytes int // cost of the frames for this connection only
	sharedBytes int // cost of the other frames
	counted     int // how many of the frames, from the first on, are counted in usage

	// ciphertext is what the socket did not take. It goes out first: it cannot be encrypted
	// again, and nothing may come before it.
	ciphertext        []byte
	ciphertextCounted int    // how much of it is counted in usage
	ciphertextFrames  uint64 // frames that are delivered once it is written
}

// queuedFrame is a frame in a connection's queue.
type queuedFrame struct {
	Frame
	// shared means that other connections may have the frame, too, as those given to
	// Follow. It does not count against this connection's limit.
	shared bool
	// partial means that the frame comes from a log and was written in part.
	partial bool
}

func (o queuedFrame) cost() int { return len(o.Frame) + frameCost }

// send queues a frame for this connection only.
func (o *outbound) send(f Frame) { o.add(queuedFrame{Frame: f}) }

// queueShared queues a frame that other connections may be sent, too.
func (o *outbound) queueShared(f Frame) { o.add(queuedFrame{Frame: f, shared: true}) }

func (o *outbound) add(f queuedFrame) {
	o.count(f, f.cost())
	o.frames = append(o.frames, f)
}

// count adds to the cost of a kind of frame.
func (o *outbound) count(f queuedFrame, cost int) {
	if f.shared {
		o.sharedBytes += cost
	} else {
		o.directBytes += cost
	}
}

// countAll counts all frames in usage. Frames that go out at once are not worth counting.
func (o *outbound) countAll(k *usage) {
	for ; o.counted < len(o.frames); o.counted++ {
		k.add(&o.frames[o.counted])
	}
}

// total returns the bytes queued for the connection, with shared frames in full.
func (o *outbound) total() int { return o.directBytes + o.sharedBytes + len(o.ciphertext) }

// directWaiting returns the cost of the connection's own frames after the first.
func (o *outbound) directWaiting() int {
	if len(o.frames) == 0 || o.frames[0].shared {
		return o.directBytes
	}
	return o.directBytes - o.frames[0].cost()
}

// pop removes the first frame.
func (o *outbound) pop(k *usage) {
	o.count(o.frames[0], -o.frames[0].cost())
	if o.counted > 0 {
		k.remove(&o.frames[0])
		o.counted--
	}
	o.frames[0] = queuedFrame{} // the array stays until the last frame is written
	o.frames = o.frames[1:]
}

func (o *outbound) discard(k *usage) {
	o.truncate(0, k)
	o.dropCiphertext(k)
}

// truncate drops all frames, or all but the first: n is 0 or 1. Ciphertext stays.
func (o *outbound) truncate(n int, k *usage) {
	for ; o.counted > n; o.counted-- {
		k.remove(&o.frames[o.counted-1])
	}
	for i, f := range o.frames[n:] {
		o.count(f, -f.cost())
		o.frames[n+i] = queuedFrame{}
	}
	if o.frames = o.frames[:n]; n == 0 {
		o.offset = 0
	}
}

// join appends frames to buf, skipping the bytes of the first one already written, up to
// about a chunk. A single frame may be of any size.
func (o *outbound) join(buf []byte, chunk int) []byte {
	skip := o.offset
	for _, f := range o.frames {
		if len(buf) > 0 && len(buf)+len(f.Frame)-skip > chunk {
			break
		}
		buf = append(buf, f.Frame[skip:]...)
		skip = 0
	}
	return buf
}

// usage counts the bytes of frames queued for single connections. A frame in several queues
// is in memory once, and is counted once.
type usage struct {
	bytes  int
	shared map[*byte]int // reference counts of frames in several queues
}

func (k *usage) add(f *queuedFrame) {
	k.bytes += frameCost
	id, shared := f.identity()
	if !shared {
		k.bytes += len(f.Frame)
		return
	}
	if k.shared == nil {
		k.shared = map[*byte]int{}
	}
	if k.shared[id] == 0 {
		k.bytes += len(f.Frame)
	}
	k.shared[id]++
}

// remove subtracts a frame that was added.
func (k *usage) remove(f *queuedFrame) {
	k.bytes -= frameCost
	id, shared := f.identity()
	if shared {
		if k.shared[id]--; k.shared[id] > 0 {
			return
		}
		delete(k.shared, id)
	}
	k.bytes -= len(f.Frame)
}

// identity identifies a frame across queues. shared is false for a frame of this connection
// only.
func (f *queuedFrame) identity() (id *byte, shared bool) {
	if !f.shared && !f.partial || len(f.Frame) == 0 {
		return nil, false
	}
	return &f.Frame[0], true
}

// keepCiphertext appends a copy of ciphertext to what is kept already.
func (o *outbound) keepCiphertext(data []byte, delivered uint64, k *usage) {
	o.ciphertext = append(o.ciphertext, data...)
	o.ciphertextFrames += delivered
	k.bytes += cap(o.ciphertext) - o.ciphertextCounted
	o.ciphertextCounted = cap(o.ciphertext)
}

func (o *outbound) dropCiphertext(k *usage) {
	k.bytes -= o.ciphertextCounted
	o.ciphertext, o.ciphertextCounted, o.ciphertextFrames = nil, 0, 0
}

// countQueued counts the frames of a connection that could not be written at once.
func (l *loop) countQueued(c *conn) {
	if c.out != nil {
		c.out.countAll(&l.usage)
	}
}

// reportUsage adds the loop's queued bytes to the engine's. Beyond Limits.MaxOutbound the
// connection with the largest queue is closed. If that is not enough, the next one follows
// in a later turn.
func (l *loop) reportUsage() {
	e := l.engine
	if delta := l.usage.bytes - l.reportedUsage; delta != 0 {
		l.reportedUsage = l.usage.bytes
		e.outbound.Add(int64(delta))
	}
	if e.exceedsOutbound() && e.shedding.CompareAndSwap(false, true) {
		e.goroutines.Go(e.shed)
	}
}

func (e *Engine) exceedsOutbound() bool { return e.outbound.Load() > int64(e.cfg.MaxOutbound) }

// shed closes the connection with the largest queue. One that is closing already is
// dropped: its close frame may wait behind a partly written frame.
func (e *Engine) shed() {
	defer e.shedding.Store(false)
	var largest Conn
	most := 0
	for _, l := range e.loops {
		l.do(func() {
			l.conns.each(func(c *conn) {
				if c.out != nil && c.out.total() > most {
					largest, most = l.handle(c), c.out.total()
				}
			})
		})
	}
	if most == 0 || !e.exceedsOutbound() {
		return
	}
	largest.loop.do(func() {
		l := largest.loop
		switch c := l.lookup(largest.connRef); {
		case c == nil:
		case c.state == stateOpen:
			e.slow.Add(1)
			l.beginClose(c, ws.StatusPolicyViolation, reasonLargestQueue)
		default:
			l.drop(c, ws.StatusAbnormalClosure, reasonLargestQueue)
		}
	})
}
