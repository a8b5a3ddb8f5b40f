package engine

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
	sent    int     // bytes of the first frame that are out
	waiting int     // cost of the frames behind the first, the lent ones apart
	lent    int     // cost of the lent frames
	entered int     // how many of the frames, from the first on, are in the ledger
	sealed  *sealed // ciphertext that goes out first; nil when none
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
func (o *outbound) send(f Frame) {
	if len(o.frames) > 0 {
		o.waiting += len(f) + frameCost
	}
	o.frames = append(o.frames, owed{Frame: f})
}

// lend queues a frame that others are given, too.
func (o *outbound) lend(f Frame) {
	o.lent += len(f) + frameCost
	o.frames = append(o.frames, owed{Frame: f, lent: true})
}

// enter enters all frames into the ledger. Frames that go out at once are not worth it.
func (o *outbound) enter(k *ledger) {
	for ; o.entered < len(o.frames); o.entered++ {
		k.enter(&o.frames[o.entered])
	}
}

// debt is the bytes queued for the connection, with shared frames in full.
func (o *outbound) debt() int {
	debt := o.waiting + o.lent + o.sealed.len()
	if len(o.frames) > 0 && !o.frames[0].lent {
		debt += o.frames[0].cost()
	}
	return debt
}

// next lets go of the first frame.
func (o *outbound) next(k *ledger) {
	if first := o.frames[0]; first.lent {
		o.lent -= first.cost()
	}
	if o.entered > 0 {
		k.leave(&o.frames[0])
		o.entered--
	}
	o.frames[0] = owed{} // the array stays until the last frame is out
	o.frames = o.frames[1:]
	if len(o.frames) > 0 && !o.frames[0].lent {
		o.waiting -= o.frames[0].cost()
	}
}

// forget discards all frames.
func (o *outbound) forget(k *ledger) {
	for i := range o.entered {
		k.leave(&o.frames[i])
	}
	o.dropSealed(k)
	*o = outbound{}
}

// keepFirst forgets all but the first frame.
func (o *outbound) keepFirst(k *ledger) {
	for ; o.entered > 1; o.entered-- {
		k.leave(&o.frames[o.entered-1])
	}
	clear(o.frames[1:])
	o.frames = o.frames[:1]
	o.waiting, o.lent = 0, 0
	if first := o.frames[0]; first.lent {
		o.lent = first.cost()
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
