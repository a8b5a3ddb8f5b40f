package engine

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
