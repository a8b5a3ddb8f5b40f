package hub

import "sync"

// workQueue does the clients' requests on goroutines of its own: the hub may be busy with a
// reply for many groups, and the engine's loops must not wait for that. Each client has a
// queue, whose tasks are done in order. The clients take turns, and a long task is done one
// step a turn, so a busy client delays only itself.
//
// Short requests do not wait for long ones:
//
//	answers ───────────► one goroutine, which takes no lock of the hub
//	hellos, requests ──► another goroutine: first these,
//	long tasks ────────► and one step of these after a few of those
type workQueue struct {
	goroutines sync.WaitGroup

	// mu guards the following fields, and the clients' queues.
	mu       sync.Mutex
	work     sync.Cond // there is something to do, or the queue is closed
	urgent   []func()
	ready    [efforts][]*clientQueue // clients with tasks, in their turn, by the effort of the first task
	running  int                     // clients whose task is being done
	briefRun int                     // brief tasks done since the last step of a long one
	closed   bool
}

// Task is called once a turn of its client until it reports that it is done.
type Task func() (done bool)

// effort is how much work a task is.
type effort uint8

const (
	unlocked  effort = iota // an answer that takes no lock of the hub
	brief                   // done at once
	multiTurn               // steps of about turnWork each, or as much at once
	efforts
)

// maxBriefRun is how many brief tasks are done before the next step of a long one.
const maxBriefRun = 16

// turnWork bounds the work of one step, in units of [filter.Memo.Work]: about a
// millisecond. That is how long a hello or a short request may have to wait.
const turnWork = 50_000

// clientQueue is the tasks of one client, in order.
type clientQueue struct {
	tasks []queued
	ready bool // it waits for its turn, or has it
}

type queued struct {
	Task
	effort
}

func newWorkQueue() *workQueue {
	d := &workQueue{}
	d.work.L = &d.mu
	d.goroutines.Go(func() { d.run(d.nextUnlocked) })
	d.goroutines.Go(func() { d.run(d.nextRequest) })
	return d
}

// submitUrgent queues what comes before the clients' requests: a hello, or what is no client's.
// It never blocks.
func (d *workQueue) submitUrgent(task func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.urgent = append(d.urgent, task)
	d.work.Broadcast()
}

// submit queues a task of a single step.
func (d *workQueue) submit(l *clientQueue, e effort, do func()) {
	d.submitSteps(l, e, func() bool { do(); return true })
}

// submitSteps queues a client's task. It never blocks: the caller bounds what one client has
// queued.
func (d *workQueue) submitSteps(l *clientQueue, e effort, t Task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	l.tasks = append(l.tasks, queued{t, e})
	d.enqueue(l)
}

// submitFirst is steps for a task that comes before all others of the client, none of which
// may have begun.
func (d *workQueue) submitFirst(l *clientQueue, e effort, t Task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	l.tasks = append([]queued{{t, e}}, l.tasks...)
	d.enqueue(l)
}

// enqueue gives a client with tasks its turn behind the others. mu is held.
func (d *workQueue) enqueue(l *clientQueue) {
	if !l.ready {
		l.ready = true
		e := l.tasks[0].effort
		d.ready[e] = append(d.ready[e], l)
		d.work.Broadcast()
	}
}

// run does what next returns until the queue is closed and empty.
func (d *workQueue) run(next func() (Task, *clientQueue)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		t, l := next()
		switch {
		case t != nil:
			d.step(t, l)
		case d.closed && d.running+len(d.urgent)+len(d.ready[unlocked])+len(d.ready[brief])+len(d.ready[multiTurn]) == 0:
			d.work.Broadcast()
			return
		default:
			d.work.Wait()
		}
	}
}

// nextUnlocked and nextRequest return what a goroutine does next, or nil. The client's queue
// is nil for what is urgent. mu is held, as in those below.
func (d *workQueue) nextUnlocked() (Task, *clientQueue) { return d.first(unlocked) }

func (d *workQueue) nextRequest() (Task, *clientQueue) {
	if len(d.urgent) > 0 {
		do := pop(&d.urgent)
		return func() bool { do(); return true }, nil
	}
	if d.briefRun < maxBriefRun || len(d.ready[multiTurn]) == 0 {
		if t, l := d.first(brief); t != nil {
			d.briefRun++
			return t, l
		}
	}
	d.briefRun = 0
	return d.first(multiTurn)
}

// first returns the first task of the client whose turn it is.
func (d *workQueue) first(e effort) (Task, *clientQueue) {
	if len(d.ready[e]) == 0 {
		return nil, nil
	}
	l := pop(&d.ready[e])
	return l.tasks[0].Task, l
}

// step does one step of a task, without mu.
func (d *workQueue) step(t Task, l *clientQueue) {
	d.running++
	d.mu.Unlock()
	done := t()
	d.mu.Lock()
	d.running--
	if l == nil {
		return
	}
	if done {
		pop(&l.tasks)
	}
	if l.ready = false; len(l.tasks) > 0 {
		d.enqueue(l)
	}
}

// pop removes the first element of a list, and frees the memory of an empty one.
func pop[T any](list *[]T) (first T) {
	first = (*list)[0]
	clear((*list)[:1])
	if *list = (*list)[1:]; len(*list) == 0 {
		*list = nil
	}
	return first
}

// close does what is queued, and ends the goroutines.
func (d *workQueue) close() {
	d.mu.Lock()
	d.closed = true
	d.work.Broadcast()
	d.mu.Unlock()
	d.goroutines.Wait()
}
