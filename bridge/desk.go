package bridge

import "sync"

// desk does what clients ask of the hub, on a goroutine of its own: the hub may have
// to wait for the engine's loops, so they must not wait for the hub. Each client has
// a lane, in which one thing is done after the other. The lanes take turns, so a busy
// client delays only itself: what would take long is done a step each turn.
type desk struct {
	wake    chan struct{} // capacity 1
	running sync.WaitGroup

	// mu guards the following fields, and what is in the lanes.
	mu     sync.Mutex
	urgent []func()
	ready  []*lane // those with tasks, in their turn
	closed bool
}

// task is a piece of work, called once a turn of its lane until it reports that it is
// done.
type task func() (done bool)

// turnWork bounds the work of a task in one turn, in units of [filter.Memo.Work]: about
// a millisecond, so that a greeting or a ping waits no longer.
const turnWork = 50_000

// lane is what one client has asked for.
type lane struct {
	tasks []task
	ready bool // it has tasks, and is in its turn or has it
}

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

// doFor queues work of a single step in a lane.
func (d *desk) doFor(l *lane, do func()) {
	d.steps(l, func() bool { do(); return true })
}

// steps queues a task in a lane. It never blocks: the caller bounds what one client has
// queued.
func (d *desk) steps(l *lane, t task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	l.tasks = append(l.tasks, t)
	d.turn(l)
}

// stepsFirst queues a task at the front of a lane.
func (d *desk) stepsFirst(l *lane, t task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	l.tasks = append([]task{t}, l.tasks...)
	d.turn(l)
}

// turn queues a lane with tasks behind the others. mu is held.
func (d *desk) turn(l *lane) {
	if !l.ready {
		l.ready = true
		d.ready = append(d.ready, l)
	}
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
		for d.one() {
		}
		if d.ended() {
			return
		}
	}
}

// one runs urgent work, or a step of the lane whose turn it is. It is false when there
// is nothing to do.
func (d *desk) one() bool {
	d.mu.Lock()
	if len(d.urgent) > 0 {
		do := pop(&d.urgent)
		d.mu.Unlock()
		do()
		return true
	}
	if len(d.ready) == 0 {
		d.mu.Unlock()
		return false
	}
	l := pop(&d.ready)
	t := pop(&l.tasks)
	d.mu.Unlock()
	done := t()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !done {
		l.tasks = append([]task{t}, l.tasks...)
	}
	if l.ready = false; len(l.tasks) > 0 {
		d.turn(l)
	}
	return true
}

func (d *desk) ended() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed && len(d.urgent)+len(d.ready) == 0
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
