package simulation

import (
	"fmt"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/hub"
)

const (
	// commandMark begins the text of each command. In the published message it occurs once.
	commandMark   = "run command-"
	commandDigits = 6
)

// command is a command of a client, with everything that is known of it.
type command struct {
	id       string
	consumer string
	conn     *conn
	record   *record
	wait     time.Duration // for its end; 0 is a command in CLU's form
	expires  time.Time
	came     time.Time
	flight   *hub.Command

	// The following fields are guarded by world.mu.
	outcomes  []amqpx.Outcome
	settledAt time.Time
	sent      []time.Time // when the link wrote it
	sentOn    *pipe
	routed    []time.Time // when the broker delivered it to the actor
}

func (c *command) text() string { return "run " + c.id }

// command sends a command.
func (c *client) command() {
	cmd := &command{consumer: actorNames[c.rng.IntN(len(actorNames))], conn: c.conn, record: c.records[len(c.records)-1]}
	if c.rng.IntN(10) == 0 {
		cmd.consumer = "nobody"
	}
	if c.rng.IntN(2) == 0 {
		cmd.wait = time.Duration(100+c.rng.IntN(5000)) * time.Millisecond
	}
	if c.rng.IntN(4) == 0 {
		cmd.expires = time.Now().Add(time.Duration(1+c.rng.IntN(900)) * time.Millisecond)
	}
	burst := 1
	if c.rng.IntN(8) == 0 {
		burst += c.rng.IntN(20)
	}
	for range burst {
		one := *cmd
		if one.wait > 0 {
			one.wait += time.Duration(c.rng.IntN(1_000_000)) // distinct, so that they do not end at the same time
		}
		c.w.mu.Lock()
		one.id = fmt.Sprintf("command-%0*d", commandDigits, len(c.w.commands))
		c.w.commands = append(c.w.commands, &one)
		c.w.mu.Unlock()
		c.afterHello(func() {
			if !one.conn.HasLeft() {
				c.w.send(&one)
			}
		})
	}
}

// Bounds of the time until an outcome.
const (
	publishTimeout = 900 * time.Millisecond
	// sweepEvery is how late the link may end an overdue command.
	sweepEvery = publishTimeout / 30
)

// checkCommands checks every command.
func (w *world) checkCommands() {
	for _, c := range w.commands {
		if c.came.IsZero() {
			continue // not sent: its client left before the hello
		}
		if len(c.outcomes) != 1 {
			w.fail("%s has %d outcomes: %v", c.id, len(c.outcomes), c.outcomes)
			continue
		}
		w.checkOutcome(c, c.outcomes[0])
		w.checkTimes(c)
		w.checkAnswers(c)
		if is, ok := w.told[c.id]; ok { // those that ended long ago are forgotten
			w.checkTold(c, is)
		}
	}
}

// checkOutcome compares an outcome with what the link and the broker did.
func (w *world) checkOutcome(c *command, o amqpx.Outcome) {
	if len(c.sent) > 1 || len(c.routed) > 1 {
		w.fail("%s was sent %d times, and received %d times", c.id, len(c.sent), len(c.routed))
	}
	if len(c.routed) > len(c.sent) {
		w.fail("%s was received, and not sent", c.id)
	}
	switch {
	case o == amqpx.Confirmed && len(c.routed) != 1:
		w.fail("%s is confirmed, and was not received", c.id)
	case o == amqpx.Returned && len(c.routed) > 0, o == amqpx.Refused && len(c.routed) > 0:
		w.fail("%s is %v, and was received", c.id, o)
	case o != amqpx.Confirmed && o != amqpx.Returned && !o.InDoubt() && len(c.sent) > 0:
		w.fail("%s is %v, and was sent", c.id, o)
	case o.InDoubt() && len(c.sent) == 0:
		w.fail("%s is %v, and was not sent", c.id, o)
	}
}

func (w *world) checkTimes(c *command) {
	deadline := c.came.Add(publishTimeout)
	if took := c.settledAt.Sub(c.came); took > publishTimeout+sweepEvery {
		w.fail("%s has had no outcome for %v", c.id, took)
	}
	if !c.expires.IsZero() && c.expires.Before(deadline) {
		deadline = c.expires
	}
	for _, at := range c.sent {
		if at.After(deadline) {
			w.fail("%s was sent %v after its deadline", c.id, at.Sub(deadline))
		}
		if left := c.conn.leftAt; !left.IsZero() && at.After(left) {
			w.fail("%s was sent %v after its client had left", c.id, at.Sub(left))
		}
		w.checkHeld(c, at)
	}
}

// checkHeld checks that a command was not sent while another had been without a confirm for long: the broker may
// have stalled.
func (w *world) checkHeld(c *command, at time.Time) {
	for _, o := range w.commands {
		if o.sentOn != c.sentOn || len(o.sent) != 1 || at.Sub(o.sent[0]) <= sweepEvery {
			continue
		}
		if o.settledAt.After(at) {
			w.fail("%s was sent although %s was without a confirm for %v", c.id, o.id, at.Sub(o.sent[0]))
		}
	}
}

// checkAnswers checks what the sender was sent.
func (w *world) checkAnswers(c *command) {
	var ok, failed, ended int
	var result, refused *message
	c.record.mu.Lock()
	defer c.record.mu.Unlock()
	for i := range c.record.came {
		switch m := &c.record.came[i]; {
		case m.answers("ok", c.id):
			ok++
			if failed+ended > 0 {
				w.fail("%s ended before its answer", c.id)
			}
		case m.answers("error", c.id):
			failed++
			refused = m
		case m.answers("result", c.id):
			ended++
			result = m
		}
	}
	o := c.outcomes[0]
	// Whether the sender stayed long enough to read what it was sent.
	stayed := !c.conn.closed && !c.conn.c.profile.slow && c.conn.leftAt.Sub(c.settledAt) > time.Second
	switch {
	case failed+ended > 1:
		w.fail("%s ended %d times", c.id, failed+ended)
	case refused != nil && refused.Code != o.String():
		w.fail("%s is %v, and its sender got %s", c.id, o, refused.Code)
	case refused != nil && o == amqpx.Confirmed:
		w.fail("%s is confirmed, and its sender got an error", c.id)
	case stayed && o != amqpx.Confirmed && failed+ended == 0:
		w.fail("%s is %v, and its sender got no answer", c.id, o)
	case stayed && c.wait > 0 && ok == 0:
		w.fail("%s was not answered", c.id)
	}
	if result != nil {
		w.checkResult(c, result)
	}
}

// checkResult compares the result of a command with its replies.
func (w *world) checkResult(c *command, m *message) {
	var replies int
	var last *reply
	for _, r := range w.numbered {
		if r.commandID == c.id && last == nil && !r.numbered.After(m.at) {
			if c.conn.c.profile.view.selects(r) {
				replies++
			}
			if r.code == ":" || r.code == "f" {
				last = r
			}
		}
	}
	switch {
	case m.Status == "timeout" && m.at.Sub(c.came) < c.wait:
		w.fail("the sender of %s waited for %v, and not for %v", c.id, m.at.Sub(c.came), c.wait)
	case m.Status == "timeout" && last != nil && last.numbered.Sub(c.came) < c.wait:
		w.fail("%s ended by %s, and its sender got a timeout", c.id, last.id)
	case m.Status == "timeout":
	case last == nil:
		w.fail("%s is %s, and no reply has ended it", c.id, m.Status)
	case m.Replies != replies:
		w.fail("%s has had %d replies, and its sender got %d", c.id, replies, m.Replies)
	case (m.Status == "done") != (last.code == ":"):
		w.fail("%s ended with %s, and its sender got %s", c.id, last.code, m.Status)
	}
}
