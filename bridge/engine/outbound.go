package engine

import (
	"github.com/gobwas/ws"
)

const (
	// maxOutbound bounds what may wait for one connection, in bytes: frames that
	// were sent to it alone, behind the one that is going out, which may be of any
	// size.
	maxOutbound = 4 << 20
	// maxShared bounds the frames that a connection was given by [Conn.Follow] and
	// that still wait when it is to follow yet another log. One call may give more.
	maxShared = 64 << 20
	// frameCost is about what a waiting frame costs beside its bytes.
	frameCost = 64
)

// outbound is what one connection alone is to be sent, in order.
type outbound struct {
	frames      []queuedFrame
	offset      int // bytes of the first frame that are out
	directBytes int // cost of the frames that are the connection's only
	sharedBytes int // cost of the others
	counted     int // how many of the frames, from the first on, are in the ledger

	// sealed is ciphertext that the socket did not take, and that goes out first. It cannot
	// be made again, and nothing may come before it.
	ciphertext        []byte
	ciphertextCounted int    // what of it the ledger counts
	ciphertextFrames  uint64 // frames that are delivered once it is out
}

// queuedFrame is a frame that waits for one connection.
type queuedFrame struct {
	Frame
	// lent says that the frame is many connections', and came with a change of the
	// log: what it costs is not this connection's doing.
	shared bool
	// cut means that the frame is a log's, and that a part of it was written.
	partial bool
}

func (o queuedFrame) cost() int { return len(o.Frame) + frameCost }

// send queues a frame that is for the connection alone.
func (o *outbound) send(f Frame) { o.add(queuedFrame{Frame: f}) }

// queueShared queues a frame that others are given, too.
func (o *outbound) queueShared(f Frame) { o.add(queuedFrame{Frame: f, shared: true}) }

func (o *outbound) add(f queuedFrame) {
	o.count(f, f.cost())
	o.frames = append(o.frames, f)
}

// count adds to the cost of the frames of a kind.
func (o *outbound) count(f queuedFrame, cost int) {
	if f.shared {
		o.sharedBytes += cost
	} else {
		o.directBytes += cost
	}
}

// countAll enters all frames into the ledger. Frames that go out at once are not worth it.
func (o *outbound) countAll(k *usage) {
	for ; o.counted < len(o.frames); o.counted++ {
		k.add(&o.frames[o.counted])
	}
}

// total is the bytes queued for the connection, with shared frames in full.
func (o *outbound) total() int { return o.directBytes + o.sharedBytes + len(o.ciphertext) }

// directWaiting is the cost of the connection's own frames behind the first.
func (o *outbound) directWaiting() int {
	if len(o.frames) == 0 || o.frames[0].shared {
		return o.directBytes
	}
	return o.directBytes - o.frames[0].cost()
}

// pop lets go of the first frame.
func (o *outbound) pop(k *usage) {
	o.count(o.frames[0], -o.frames[0].cost())
	if o.counted > 0 {
		k.remove(&o.frames[0])
		o.counted--
	}
	o.frames[0] = queuedFrame{} // the array stays until the last frame is out
	o.frames = o.frames[1:]
}

// discard discards everything.
func (o *outbound) discard(k *usage) {
	o.truncate(0, k)
	o.dropCiphertext(k)
}

// truncate forgets all frames but the first, or that as well: n is 1 or 0. What is sealed
// stays.
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

// join appends frames to buf, from byte sent of the first on, up to about a
// chunk of bytes. One frame may be of any size.
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

// usage counts the bytes of frames queued for single connections. A frame queued for
// many of them is in memory once, and is counted once.
type usage struct {
	bytes  int
	shared map[*byte]int // reference counts of frames queued for several connections
}

// add counts a frame that is queued for a connection.
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

// remove removes a frame that was entered.
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

// identity identifies a frame in the queues of several connections. shared is false for
// a frame of this connection only.
func (f *queuedFrame) identity() (id *byte, shared bool) {
	if !f.shared && !f.partial || len(f.Frame) == 0 {
		return nil, false
	}
	return &f.Frame[0], true
}

// keepCiphertext keeps a copy of ciphertext behind what is kept already.
func (o *outbound) keepCiphertext(data []byte, delivered uint64, k *usage) {
	o.ciphertext = append(o.ciphertext, data...)
	o.ciphertextFrames += delivered
	k.bytes += cap(o.ciphertext) - o.ciphertextCounted
	o.ciphertextCounted = cap(o.ciphertext)
}

// dropCiphertext lets go of it.
func (o *outbound) dropCiphertext(k *usage) {
	k.bytes -= o.ciphertextCounted
	o.ciphertext, o.ciphertextCounted, o.ciphertextFrames = nil, 0, 0
}

// countQueued enters the frames of a connection that could not be written at once into the
// ledger.
func (l *loop) countQueued(c *conn) {
	if c.out != nil {
		c.out.countAll(&l.usage)
	}
}

// reportUsage reports the loop's queued bytes to the engine. Beyond Limits.MaxOutbound the
// connection with the most is closed. The next one follows in a later turn if the bound
// is still exceeded.
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

// shed closes the connection with the most queued bytes. One that is closing already is
// dropped: its close frame may wait behind a half-written frame.
func (e *Engine) shed() {
	defer e.shedding.Store(false)
	var debtor Conn
	most := 0
	for _, l := range e.loops {
		l.do(func() {
			l.conns.each(func(c *conn) {
				if c.out != nil && c.out.total() > most {
					debtor, most = l.handle(c), c.out.total()
				}
			})
		})
	}
	if most == 0 || !e.exceedsOutbound() {
		return
	}
	debtor.loop.do(func() {
		l := debtor.loop
		switch c := l.lookup(debtor.connRef); {
		case c == nil:
		case c.state == stateOpen:
			e.slow.Add(1)
			l.beginClose(c, ws.StatusPolicyViolation, reasonLargestQueue)
		default:
			l.drop(c, ws.StatusAbnormalClosure, reasonLargestQueue)
		}
	})
}
