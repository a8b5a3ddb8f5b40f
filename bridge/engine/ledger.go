package engine

import "sync"

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

// lockedLedger is a ledger for many goroutines.
type lockedLedger struct {
	mu sync.Mutex // guards all
	ledger
	told int
}

// change applies do to the ledger and returns the change of its bytes since the last
// call.
func (k *lockedLedger) change(do func(*ledger)) (delta int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	do(&k.ledger)
	delta, k.told = k.bytes-k.told, k.bytes
	return delta
}
