package bridge

import (
	"strings"

	"github.com/clu-ws/clu-ws/actor"
)

// answer is what the commands in flight know of a reply.
type answer struct {
	owner  *session  // of the command that it answers; nil if that is not a v1 client's
	waiter endWaiter // who waited for the end that it is; nil if nobody did, or it is none
	ending commandEnd
}

// replied takes a reply, and gives whose it is. With its last one a command is
// forgotten. It runs for every reply: it looks at one command, and allocates nothing.
func (f *inflight) replied(r *reply) (a answer) {
	if r.CommandID == "" {
		return answer{}
	}
	consumer, ok := strings.CutPrefix(r.Commander, f.prefix)
	if !ok || !actor.Runs(r.Sender, consumer) {
		return answer{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.commands[commandKey{r.CommandID, consumer}]
	if c == nil {
		return answer{}
	}
	c.replies++
	if c.caller.client != nil {
		a.owner = c.caller.client.v1.Load()
	}
	if c.waiter != nil {
		c.waiter.gather(r)
	}
	if !r.ends() {
		return a
	}
	if c.sent--; c.sent > 0 {
		return a
	}
	a.waiter = f.quit(c)
	a.ending = endingOf(c, r, f.now())
	f.drop(c)
	return a
}

// giveUp has nobody wait for a command's end any longer, and gives who did until now.
// The replies that still come are the command's.
func (f *inflight) giveUp(c *command, why string) (w endWaiter, e commandEnd) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.quit(c), timeoutOf(c, f.now(), why)
}

// failed notes that a command was not sent. If that is in doubt, replies to it may
// still come, and nobody else may use its id. It reports whether somebody waited for
// its end, and has not heard of one.
func (f *inflight) failed(c *command, inDoubt bool) (waited bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.commands[c.commandKey] != c {
		return false
	}
	waited = f.quit(c) != nil
	if inDoubt {
		return waited
	}
	if c.sent--; c.sent == 0 {
		f.drop(c)
	}
	return waited
}

// len is how many there are.
func (f *inflight) len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.commands)
}

// gaveWay tells of a command whose end is not waited for any longer because it gave way
// to another. It is called by loops, which must not wait for the hub.
func (b *Bridge) gaveWay(e evicted) {
	if c, ok := e.waiter.(*call); ok {
		c.end(e.ending)
		return
	}
	b.desk.do(func() {
		b.hub.mu.Lock()
		defer b.hub.mu.Unlock()
		e.waiter.end(e.ending)
	})
}
