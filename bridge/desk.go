package bridge

import "sync"

// desk does what clients ask of the hub, on a goroutine of its own: the hub may have
// to wait for the engine's loops, so they must not wait for the hub. Each client has
// a lane, in which one thing is done after the other. The lanes take turns, so that
// who asks for much waits for that alone.
type desk struct {
	wake    chan struct{} // capacity 1
	running sync.WaitGroup

	// mu guards the following fields, and what is in the lanes.
	mu     sync.Mutex
	urgent []func()
	ready  []*lane // those with tasks, in their turn
	closed bool
}

// lane is what one client has asked for.
type lane struct{ tasks []func() }

func newDesk() *desk {
	d := &desk{wake: make(chan struct{}, 1)}
	d.running.Go(d.run)
	return d
}

// do queues something that comes before what is in any lane: a greeting, or what is
// no client's. It never blocks.
func (d *desk) do(task func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.urgent = append(d.urgent, task)
	d.signal()
}

// doFor queues something in a lane. It never blocks: who calls it sees to it that
// what one client has waiting here is bounded.
func (d *desk) doFor(l *lane, task func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if len(l.tasks) == 0 {
		d.ready = append(d.ready, l)
	}
	l.tasks = append(l.tasks, task)
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
		task, closed := d.next()
		for task != nil {
			task()
			task, closed = d.next()
		}
		if closed {
			return
		}
	}
}

// next takes a task; without any it is nil.
func (d *desk) next() (task func(), closed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case len(d.urgent) > 0:
		task = pop(&d.urgent)
	case len(d.ready) > 0:
		l := pop(&d.ready)
		task = pop(&l.tasks)
		if len(l.tasks) > 0 {
			d.ready = append(d.ready, l)
		}
	}
	return task, d.closed
}

// pop takes the first element of a list, and gives the memory of an empty one back.
func pop[T any](list *[]T) (first T) {
	first = (*list)[0]
	clear((*list)[:1])
	if *list = (*list)[1:]; len(*list) == 0 {
		*list = nil
	}
	return first
}

// close does what is queued and ends the desk.
func (d *desk) close() {
	d.mu.Lock()
	d.closed = true
	d.signal()
	d.mu.Unlock()
	d.running.Wait()
}
