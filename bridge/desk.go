package bridge

import "sync"

// desk does what clients ask of the hub, one after the other and in the order of
// the asking, on a goroutine of its own: the hub may have to wait for the
// engine's loops, so they must not wait for the hub.
type desk struct {
	wake    chan struct{} // capacity 1
	running sync.WaitGroup

	// mu guards the following fields.
	mu     sync.Mutex
	queue  []func()
	closed bool
}

func newDesk() *desk {
	d := &desk{wake: make(chan struct{}, 1)}
	d.running.Go(d.run)
	return d
}

// do queues something. It never blocks: who calls it sees to it that what one
// client has waiting here is bounded.
func (d *desk) do(task func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.queue = append(d.queue, task)
	d.signal()
}

func (d *desk) signal() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *desk) run() {
	for range d.wake {
		d.mu.Lock()
		tasks, closed := d.queue, d.closed
		d.queue = nil
		d.mu.Unlock()
		for _, task := range tasks {
			task()
		}
		if closed {
			return
		}
	}
}

// close does what is queued and ends the desk.
func (d *desk) close() {
	d.mu.Lock()
	d.closed = true
	d.signal()
	d.mu.Unlock()
	d.running.Wait()
}
