package hub

import "sync"

// workQueue runs the clients' requests on its own goroutines: the hub may be busy with a
// reply for many groups, and the engine's loops must not wait for that. Each client has a
// queue, whose tasks run in order. The clients take turns, and a long task runs one step
// per turn, so a busy client delays only itself.
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
	started  bool      // the goroutines run
	closed   bool
	urgent   []func()
	ready    [efforts][]*clientQueue // clients with tasks, in their turn, by the effort of the first task
	running  int                     // tasks that are being done
	briefRun int                     // brief tasks done since the last step of a long one
}

// Task is a request that may take several turns: it is called once in each turn of its
// client until it reports that it is done.
type Task func() (done bool)

// effort is how much work a task is.
type effort uint8

const (
	unlocked  effort = iota // an answer that takes no lock of the hub
	brief                   // done at once
	multiTurn               // steps of about turnWork each, or that much at once
	efforts
)

// maxBriefRun is how many brief tasks are done before the next step of a long one.
const maxBriefRun = 16

// turnWork bounds the work of one step, in units of [filter.Memo.Work]: about a millisecond.
// That is how long a hello or a short request may have to wait.
const turnWork = 50_000

// clientQueue is the tasks of one client, in order.
type clientQueue struct {
	tasks []queuedTask
	ready bool // it waits for its turn, or has it
}

type queuedTask struct {
	Task
	effort
}

func newWorkQueue() *workQueue {
	q := &workQueue{}
	q.work.L = &q.mu
	return q
}

// submitUrgent queues a task that runs before the clients' requests: a hello, or one that
// belongs to no client. It never blocks.
func (q *workQueue) submitUrgent(task func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.urgent = append(q.urgent, task)
	q.wake()
}

// submit queues a task of a single step.
func (q *workQueue) submit(c *clientQueue, e effort, do func()) {
	q.submitSteps(c, e, func() bool { do(); return true })
}

// submitSteps queues a client's task. It never blocks: the caller bounds what one client has
// queued.
func (q *workQueue) submitSteps(c *clientQueue, e effort, t Task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	c.tasks = append(c.tasks, queuedTask{t, e})
	q.enqueue(c)
}

// submitFirst is submitSteps for a task that comes before all others of the client, none of
// which may have begun.
func (q *workQueue) submitFirst(c *clientQueue, e effort, t Task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	c.tasks = append([]queuedTask{{t, e}}, c.tasks...)
	q.enqueue(c)
}

// enqueue puts a client with tasks last in the line for turns. mu is held.
func (q *workQueue) enqueue(c *clientQueue) {
	if !c.ready {
		c.ready = true
		e := c.tasks[0].effort
		q.ready[e] = append(q.ready[e], c)
		q.wake()
	}
}

// wake makes the goroutines look for work. The first call starts them. mu is held.
func (q *workQueue) wake() {
	if !q.started {
		q.started = true
		q.goroutines.Go(func() { q.run(q.nextUnlocked) })
		q.goroutines.Go(func() { q.run(q.nextRequest) })
	}
	q.work.Broadcast()
}

// run does the tasks that next returns, until the queue is closed and empty.
func (q *workQueue) run(next func() (Task, *clientQueue)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		t, c := next()
		switch {
		case t != nil:
			q.step(t, c)
		case q.closed && q.idle():
			q.work.Broadcast()
			return
		default:
			q.work.Wait()
		}
	}
}

// idle reports whether nothing is queued or being done. mu is held.
func (q *workQueue) idle() bool {
	return q.running+len(q.urgent)+len(q.ready[unlocked])+len(q.ready[brief])+len(q.ready[multiTurn]) == 0
}

// nextUnlocked and nextRequest return what a goroutine does next, or nil. The client's queue
// is nil for an urgent task. mu is held.
func (q *workQueue) nextUnlocked() (Task, *clientQueue) { return q.first(unlocked) }

func (q *workQueue) nextRequest() (Task, *clientQueue) {
	if len(q.urgent) > 0 {
		do := pop(&q.urgent)
		return func() bool { do(); return true }, nil
	}
	if q.briefRun < maxBriefRun || len(q.ready[multiTurn]) == 0 {
		if t, c := q.first(brief); t != nil {
			q.briefRun++
			return t, c
		}
	}
	q.briefRun = 0
	return q.first(multiTurn)
}

// first returns the first task of the client whose turn it is. mu is held.
func (q *workQueue) first(e effort) (Task, *clientQueue) {
	if len(q.ready[e]) == 0 {
		return nil, nil
	}
	c := pop(&q.ready[e])
	return c.tasks[0].Task, c
}

// step does one step of a task. mu is held, but not during the step.
func (q *workQueue) step(t Task, c *clientQueue) {
	q.running++
	q.mu.Unlock()
	done := t()
	q.mu.Lock()
	q.running--
	if c == nil {
		return
	}
	if done {
		pop(&c.tasks)
	}
	if c.ready = false; len(c.tasks) > 0 {
		q.enqueue(c)
	}
}

// close finishes the queued tasks and ends the goroutines.
func (q *workQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.work.Broadcast()
	q.mu.Unlock()
	q.goroutines.Wait()
}

// pop removes and returns the first element of a list, and frees the memory of a list that
// becomes empty.
func pop[T any](list *[]T) (first T) {
	first = (*list)[0]
	clear((*list)[:1])
	if *list = (*list)[1:]; len(*list) == 0 {
		*list = nil
	}
	return first
}
