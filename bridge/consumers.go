package bridge

import (
	"context"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// consumers asks the broker now and then whether somebody takes the commands of each actor that was
// heard. An actor that has died says nothing, and neither does one that only answers commands:
//
//	hub.Liveness ──► due, a few at a time ──► amqpx.Link.AskQueue ──► hub.SetConsumer, OnChange
//
// It is asked on a goroutine of its own, so that no command waits for an answer. RabbitMQ writes a
// line into its log for each question about a queue that is missing or exclusive, as those of CLU's
// actors are. So these are asked about only when there is a reason to: the actor was not heard as
// usual, or is heard again.
type consumers struct {
	ask     func(queue string) (use amqpx.QueueUse, logged bool)
	actors  func() []snapshot.Liveness
	tell    func(actor string, is snapshot.Presence)
	now     func() time.Time
	linked  func() bool
	changed []func(actor string, present bool) // set before run
	lived   func([]snapshot.Liveness)          // is told about every second how alive the actors are

	// mu guards the following field.
	mu    sync.Mutex
	known map[string]*consumerOf
}

// consumerOf is what is known of the consumer of an actor's commands.
type consumerOf struct {
	is     snapshot.Presence
	asked  time.Time     // when it was last asked about
	heard  time.Time     // the actor's last reply when it was last looked at
	pause  time.Duration // until it is asked about again
	logged bool          // the broker has written the question into its log
	seen   bool          // the actor is still known
}

const (
	askTick        = time.Second     // how often it is decided whom to ask about
	asksPerTick    = 8               // how many are asked about then
	askPause       = 5 * time.Second // how often an actor is asked about
	askPauseLong   = time.Minute     // how seldom, if each question is logged
	quietFor       = 5 * time.Second // an actor that is silent for longer than this and than quietIntervals may have died
	quietIntervals = 4
)

func newConsumers(b *Bridge) *consumers {
	return &consumers{
		ask:    b.link.AskQueue,
		actors: b.hub.Liveness,
		tell:   b.hub.SetConsumer,
		now:    b.hub.Time,
		linked: func() bool { return b.link.State().Up },
		lived: func(all []snapshot.Liveness) {
			b.noteLiveness(all)
			b.hub.ExpireCommands()
		},
		known: map[string]*consumerOf{},
	}
}

// OnChange calls a function whenever somebody begins to take an actor's commands, or nobody does any
// longer, also when that is found for the first time. It must be called before the bridge runs.
func (c *consumers) OnChange(do func(actor string, present bool)) { c.changed = append(c.changed, do) }

// of reports whether somebody takes an actor's commands, if that is known. That nobody does is known for
// a moment only: the actor may have started since.
func (c *consumers) of(actor string) (present, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.known[actor]
	if one == nil || one.is == snapshot.Unknown {
		return false, false
	}
	present = one.is == snapshot.Present
	return present, present || c.now().Sub(one.asked) < askTick
}

// doubt is called when the broker has returned a command to an actor: it is asked about again soon.
func (c *consumers) doubt(actor string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one := c.known[actor]; one != nil {
		one.asked = time.Time{}
	}
}

// consumerOf reports whether somebody takes an actor's commands, if that is known.
func (b *Bridge) consumerOf(actor string) (present, known bool) { return b.consumers.of(actor) }

// run asks until the context ends. A broker that does not answer holds up the next questions, but not
// what is told of how alive the actors are.
func (c *consumers) run(ctx context.Context) {
	tick := time.NewTicker(askTick)
	defer tick.Stop()
	asking := make(chan struct{}, 1)
	defer func() { asking <- struct{}{} }() // waits for the last question, which ends with the link
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		actors := c.actors()
		c.lived(actors)
		select {
		case asking <- struct{}{}:
			go func() {
				defer func() { <-asking }()
				c.look(actors)
			}()
		default:
		}
	}
}

// look asks about the actors that are due, those that wait longest first.
func (c *consumers) look(actors []snapshot.Liveness) {
	if !c.linked() {
		c.forgetAnswers()
		return
	}
	due, untold := c.due(actors)
	for name, is := range untold {
		c.tell(name, is)
	}
	for _, a := range due {
		use, logged := c.ask(actor.CommandsQueue(a.Name))
		c.answered(a, presenceOfUse(use), logged)
	}
}

func presenceOfUse(use amqpx.QueueUse) snapshot.Presence {
	switch use {
	case amqpx.InUse:
		return snapshot.Present
	case amqpx.NoQueue, amqpx.Unused:
		return snapshot.Absent
	}
	return snapshot.Unknown
}

// forgetAnswers makes nothing known, because the link is down: an actor may come and go meanwhile.
func (c *consumers) forgetAnswers() {
	c.mu.Lock()
	var told []string
	for name, one := range c.known {
		if one.is != snapshot.Unknown {
			told = append(told, name)
		}
	}
	clear(c.known)
	c.mu.Unlock()
	for _, name := range told {
		c.tell(name, snapshot.Unknown)
	}
}

// answered takes an answer of the broker.
func (c *consumers) answered(a snapshot.Liveness, is snapshot.Presence, logged bool) {
	c.mu.Lock()
	one := c.known[a.Name]
	changed := one.is != is
	one.is, one.asked, one.logged = is, c.now(), logged
	if one.pause = min(2*one.pause, askPauseLong); changed || !logged || one.pause == 0 {
		one.pause = one.firstPause()
	}
	c.mu.Unlock()
	c.tell(a.Name, is)
	if !changed || is == snapshot.Unknown {
		return
	}
	for _, do := range c.changed {
		do(a.Name, is == snapshot.Present)
	}
}
