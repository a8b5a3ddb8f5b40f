package chaos

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/clu-ws/clu-ws/conformance"
)

// LateEnds is what a client does not have that says no more of a command once it is unknown, as a program that has ended.
const LateEnds = "late ends"

// judge notes what a client shows.
type judge struct {
	world    *world
	commands *Commands
	before   int // a subscription begins with this broadcast, or with an earlier one
	subs     map[string]*subscription
	closed   bool
	lostTill int // up to this broadcast some may be missing, if a gap tells it
	faults   []string
}

// subscription is what a subscription has shown.
type subscription struct {
	begun bool
	step  int  // it selects every step-th broadcast
	last  int  // the last broadcast
	told  bool // a gap was told since then
}

// The subscriptions: one to all broadcasts, and one to each second one, which come once for both.
const (
	all  = "all"
	even = "even"
)

func newJudge(w *world) *judge {
	return &judge{world: w, commands: NewCommands(), subs: map[string]*subscription{all: {step: 1}, even: {step: 2}}}
}

func (j *judge) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

// lossTill takes note that the bridge has forgotten everything: broadcasts up to this one, and replies to commands, may be lost.
func (j *judge) lossTill(broadcast int) {
	j.lostTill = broadcast
	j.commands.LoseReplies()
}

// event notes an event of the driver.
func (j *judge) event(m conformance.Message) {
	switch m["event"] {
	case "subscribed":
		j.subs[fmt.Sprint(m["on"])].begun = true
	case "closed":
		j.closed = true
	case "gap":
		j.gap(m)
	case "dropped", "refused":
		j.fault("%v, and the bridge has all replies: %v", m["event"], m)
	case "reply":
		body, _ := m["body"].(map[string]any)
		text, _ := body["n"].(json.Number)
		n, _ := text.Int64()
		j.broadcast(fmt.Sprint(m["on"]), int(n))
	case "command":
		if !j.closed {
			j.commands.Show(m)
		}
	case "broken":
		j.fault("the driver prints %v", m)
	}
}

// gap notes a gap, of one subscription or of all.
func (j *judge) gap(m conformance.Message) {
	on, one := m["on"].(string)
	if !one {
		on = all
	}
	if last := j.subs[on].last; last >= j.lostTill {
		j.fault("a gap is told after the broadcast %d, and the bridge has all replies: %v", last, m)
	}
	for name, s := range j.subs {
		s.told = s.told || !one || name == on
	}
}

// broadcast notes a broadcast. A gap that was told allows for missing ones.
func (j *judge) broadcast(on string, n int) {
	s := j.subs[on]
	switch {
	case s == nil || n%s.step != 0:
		j.fault("the broadcast %d is shown on %q", n, on)
		return
	case n <= s.last:
		j.fault("the broadcast %d comes after %d on %q", n, s.last, on)
	case n > s.last+s.step && !s.told && (s.begun || n > j.before):
		j.fault("the broadcast %d comes after %d on %q, and no gap is told", n, s.last, on)
	}
	s.last = max(s.last, n)
	s.told, s.begun = false, true
}

// reached reports whether every subscription has shown a broadcast, or a later one.
func (j *judge) reached(n int) bool {
	for _, s := range j.subs {
		if s.last < n-n%s.step {
			return false
		}
	}
	return true
}

// begun reports whether the bridge serves every subscription.
func (j *judge) begun() bool { return j.subs[all].begun && j.subs[even].begun }

// settled reports whether each command has the end that it will have.
func (j *judge) settled() bool {
	j.drain()
	return j.commands.Unsettled() == ""
}

// drain notes what the actor has got by now.
func (j *judge) drain() {
	for {
		select {
		case id := <-j.world.got:
			j.commands.Got(id)
		default:
			return
		}
	}
}

// verdict returns every fault.
func (j *judge) verdict() []string {
	j.drain()
	return append(slices.Clone(j.faults), j.commands.Verdict()...)
}

// summary counts the states.
func (j *judge) summary() string {
	c := j.commands
	return fmt.Sprintf("broadcast %d of %d, %d commands: %v%s", j.subs[all].last, j.world.said, c.sent, c.Count(), c.Unsettled())
}
