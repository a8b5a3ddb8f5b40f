package bridge

import "sync"

// desk does what clients ask of the hub, on goroutines of its own: the hub may be busy
// with a reply for many groups, and the engine's loops must not wait for that. Each
// client has a lane, in which one thing is done after the other. The lanes take turns, so a busy
// client delays only itself: what would take long is done a step each turn.
//
// Who asks for little does not wait for those who ask for much:
//
//	answers ──────────────► one goroutine: it needs no lock of the hub's
//	greetings, requests ──► another one: first these,
//	what takes turns ─────► and a step of this after each few of them
type desk struct {
	running sync.WaitGroup

	// mu guards the following fields, and what is in the lanes.
	mu     sync.Mutex
	work   sync.Cond // there is something to do, or the end has come
	urgent []func()
	ready  [efforts][]*lane // those with tasks, in their turn, by the effort of the first one
	doing  int              // lanes whose task is being done
	row    int              // brief tasks that were done since the last step of what takes turns
	closed bool
}

// task is a piece of work, called once a turn of its lane until it reports that it is
// done.
type task func() (done bool)

// effort is what a task takes.
type effort uint8

const (
	unlocked effort = iota // an answer that needs no lock of the hub's
	brief                  // a moment
	inTurns                // turns of about turnWork each, or as much at once
	efforts
)

// briefInRow is how many brief tasks are done before the next step of what takes turns.
const briefInRow = 16

// turnWork is how much of a task is done in one turn, in the sense of
// [filter.Memo.Work]: about a millisecond. A greeting or a request waits no longer.
const turnWork = 50_000

// lane is what one client has asked for.
type lane struct {
	tasks []queued
	ready bool // it has tasks, and is in its turn or has it
}

type queued struct {
	task
	effort
}

func newDesk() *desk {
	d := &desk{}
	d.work.L = &d.mu
	d.running.Go(func() { d.run(d.nextUnlocked) })
	d.running.Go(func() { d.run(d.nextRequest) })
	return d
}

// do queues something that comes before what is in any lane, but for answers: a
// greeting, or what is no client's. It never blocks.
func (d *desk) do(task func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.urgent = append(d.urgent, task)
	d.work.Broadcast()
}

// doFor queues work of a single step in a lane.
func (d *desk) doFor(l *lane, e effort, do func()) {
	d.steps(l, e, func() bool { do(); return true })
}

// steps queues a task in a lane. It never blocks: the caller bounds what one client has
// queued.
func (d *desk) steps(l *lane, e effort, t task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	l.tasks = append(l.tasks, queued{t, e})
	d.turn(l)
}

// stepsFirst is steps for what comes before all else in the lane, none of which may
// have begun.
func (d *desk) stepsFirst(l *lane, e effort, t task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	l.tasks = append([]queued{{t, e}}, l.tasks...)
	d.turn(l)
}

// turn queues a lane with tasks behind the others. mu is held.
func (d *desk) turn(l *lane) {
	if !l.ready {
		l.ready = true
		e := l.tasks[0].effort
		d.ready[e] = append(d.ready[e], l)
		d.work.Broadcast()
	}
}

// run does what next gives until the desk is closed and there is nothing to do.
func (d *desk) run(next func() (task, *lane)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		t, l := next()
		switch {
		case t != nil:
			d.one(t, l)
		case d.closed && d.doing+len(d.urgent)+len(d.ready[unlocked])+len(d.ready[brief])+len(d.ready[inTurns]) == 0:
			d.work.Broadcast()
			return
		default:
			d.work.Wait()
		}
	}
}

// nextUnlocked and nextRequest give what a goroutine is to do next; nil is nothing. The
// lane is nil for what is urgent. mu is held, as in those below.
func (d *desk) nextUnlocked() (task, *lane) { return d.first(unlocked) }

func (d *desk) nextRequest() (task, *lane) {
	if len(d.urgent) > 0 {
		do := pop(&d.urgent)
		return func() bool { do(); return true }, nil
	}
	if d.row < briefInRow || len(d.ready[inTurns]) == 0 {
		if t, l := d.first(brief); t != nil {
			d.row++
			return t, l
		}
	}
	d.row = 0
	return d.first(inTurns)
}

// first gives the first task of the lane whose turn it is.
func (d *desk) first(e effort) (task, *lane) {
	if len(d.ready[e]) == 0 {
		return nil, nil
	}
	l := pop(&d.ready[e])
	return l.tasks[0].task, l
}

// one does a step, without mu.
func (d *desk) one(t task, l *lane) {
	d.doing++
	d.mu.Unlock()
	done := t()
	d.mu.Lock()
	d.doing--
	if l == nil {
		return
	}
	if done {
		pop(&l.tasks)
	}
	if l.ready = false; len(l.tasks) > 0 {
		d.turn(l)
	}
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
	d.work.Broadcast()
	d.mu.Unlock()
	d.running.Wait()
}
