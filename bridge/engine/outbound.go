package engine

import (
	"github.com/gobwas/ws"
)

const (
	// maxOutbound bounds what may wait for one connection, in bytes: frames that
	// were sent to it alone, behind the one that is going out, which may be of any
	// size.
	maxOutbound = 4 << 20
	// maxLent bounds the frames that a connection was given by [Conn.Follow] and
	// that still wait when it is to follow yet another log. One call may give more.
	maxLent = 64 << 20
	// frameCost is about what a waiting frame costs beside its bytes.
	frameCost = 64
)

// outbound is what one connection alone is to be sent, in order.
type outbound struct {
	frames  []owed
	sent    int // bytes of the first frame that are out
	own     int // cost of the frames that are the connection's only
	lent    int // cost of the others
	entered int // how many of the frames, from the first on, are in the ledger

	// sealed is ciphertext that the socket did not take, and that goes out first. It cannot
	// be made again, and nothing may come before it.
	sealed          []byte
	sealedCost      int    // what of it the ledger counts
	sealedDelivered uint64 // frames that are delivered once it is out
}

// owed is a frame that waits for one connection.
type owed struct {
	Frame
	// lent says that the frame is many connections', and came with a change of the
	// log: what it costs is not this connection's doing.
	lent bool
	// cut means that the frame is a log's, and that a part of it was written.
	cut bool
}

func (o owed) cost() int { return len(o.Frame) + frameCost }

// send queues a frame that is for the connection alone.
func (o *outbound) send(f Frame) { o.add(owed{Frame: f}) }

// lend queues a frame that others are given, too.
func (o *outbound) lend(f Frame) { o.add(owed{Frame: f, lent: true}) }

func (o *outbound) add(f owed) {
	o.count(f, f.cost())
	o.frames = append(o.frames, f)
}

// count adds to the cost of the frames of a kind.
func (o *outbound) count(f owed, cost int) {
	if f.lent {
		o.lent += cost
	} else {
		o.own += cost
	}
}

// enter enters all frames into the ledger. Frames that go out at once are not worth it.
func (o *outbound) enter(k *ledger) {
	for ; o.entered < len(o.frames); o.entered++ {
		k.enter(&o.frames[o.entered])
	}
}

// debt is the bytes queued for the connection, with shared frames in full.
func (o *outbound) debt() int { return o.own + o.lent + len(o.sealed) }

// waiting is the cost of the connection's own frames behind the first.
func (o *outbound) waiting() int {
	if len(o.frames) == 0 || o.frames[0].lent {
		return o.own
	}
	return o.own - o.frames[0].cost()
}

// next lets go of the first frame.
func (o *outbound) next(k *ledger) {
	o.count(o.frames[0], -o.frames[0].cost())
	if o.entered > 0 {
		k.leave(&o.frames[0])
		o.entered--
	}
	o.frames[0] = owed{} // the array stays until the last frame is out
	o.frames = o.frames[1:]
}

// forget discards everything.
func (o *outbound) forget(k *ledger) {
	o.truncate(0, k)
	o.dropSealed(k)
}

// truncate forgets all frames but the first, or that as well: n is 1 or 0. What is sealed
// stays.
func (o *outbound) truncate(n int, k *ledger) {
	for ; o.entered > n; o.entered-- {
		k.leave(&o.frames[o.entered-1])
	}
	for i, f := range o.frames[n:] {
		o.count(f, -f.cost())
		o.frames[n+i] = owed{}
	}
	if o.frames = o.frames[:n]; n == 0 {
		o.sent = 0
	}
}

// join appends frames to buf, from byte sent of the first on, up to about a
// chunk of bytes. One frame may be of any size.
func (o *outbound) join(buf []byte, chunk int) []byte {
	skip := o.sent
	for _, f := range o.frames {
		if len(buf) > 0 && len(buf)+len(f.Frame)-skip > chunk {
			break
		}
		buf = append(buf, f.Frame[skip:]...)
		skip = 0
	}
	return buf
}

// ledger counts the bytes of frames queued for single connections. A frame queued for
// many of them is in memory once, and is counted once.
type ledger struct {
	bytes  int
	shared map[*byte]int // reference counts of frames queued for several connections
}

// enter counts a frame that is queued for a connection.
func (k *ledger) enter(f *owed) {
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

// leave removes a frame that was entered.
func (k *ledger) leave(f *owed) {
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
func (f *owed) identity() (id *byte, shared bool) {
	if !f.lent && !f.cut || len(f.Frame) == 0 {
		return nil, false
	}
	return &f.Frame[0], true
}

// seal keeps a copy of ciphertext behind what is kept already.
func (o *outbound) seal(data []byte, delivered uint64, k *ledger) {
	o.sealed = append(o.sealed, data...)
	o.sealedDelivered += delivered
	k.bytes += cap(o.sealed) - o.sealedCost
	o.sealedCost = cap(o.sealed)
}

// dropSealed lets go of it.
func (o *outbound) dropSealed(k *ledger) {
	k.bytes -= o.sealedCost
	o.sealed, o.sealedCost, o.sealedDelivered = nil, 0, 0
}

// owe enters the frames of a connection that could not be written at once into the
// ledger.
func (l *loop) owe(c *conn) {
	if c.out != nil {
		c.out.enter(&l.ledger)
	}
}

// settle reports the loop's queued bytes to the engine. Beyond Limits.MaxOutbound the
// connection with the most is closed. The next one follows in a later turn if the bound
// is still exceeded.
func (l *loop) settle() {
	e := l.engine
	if delta := l.ledger.bytes - l.reported; delta != 0 {
		l.reported = l.ledger.bytes
		e.outbound.Add(int64(delta))
	}
	if e.exceedsOutbound() && e.shedding.CompareAndSwap(false, true) {
		e.running.Go(e.shed)
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
		l.ask(func() {
			l.conns.each(func(c *conn) {
				if c.out != nil && c.out.debt() > most {
					debtor, most = l.handle(c), c.out.debt()
				}
			})
		})
	}
	if most == 0 || !e.exceedsOutbound() {
		return
	}
	debtor.on.ask(func() {
		l := debtor.on
		switch c := l.lookup(debtor.connRef); {
		case c == nil:
		case c.state == stateOpen:
			e.slow.Add(1)
			l.beginClose(c, ws.StatusPolicyViolation, owesMost)
		default:
			l.drop(c, ws.StatusAbnormalClosure, owesMost)
		}
	})
}
