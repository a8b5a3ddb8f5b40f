package engine

import "sync"

// ledger counts the memory of what waits for connections alone, in bytes. A frame
// that waits for many of them is in memory once, and is counted once: a thousand
// clients that load the same snapshot owe it together.
type ledger struct {
	bytes  int
	shared map[*byte]int // for how many connections a frame waits that is not one's alone
}

// enter counts a frame that waits for a connection.
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

// leave counts one as gone that entered.
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

// identity is what a frame has in common with itself in other connections' queues.
// shared is false for a frame that only this connection has.
func (f *owed) identity() (id *byte, shared bool) {
	if !f.lent && !f.cut || len(f.Frame) == 0 {
		return nil, false
	}
	return &f.Frame[0], true
}

// lockedLedger is a ledger that many goroutines write.
type lockedLedger struct {
	mu sync.Mutex // guards all
	ledger
	told int
}

// change has do change the ledger, and gives by how much it went up.
func (k *lockedLedger) change(do func(*ledger)) (delta int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	do(&k.ledger)
	delta, k.told = k.bytes-k.told, k.bytes
	return delta
}
