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
	lateEnds bool // the client has them
	before   int  // a subscription begins with this broadcast, or with an earlier one
	subs     map[string]*subscription
	closed   bool
	lostTill int // up to this broadcast some may be missing, if a gap tells it
	sent     int // commands
	states   map[string][]string
	got      map[string]int  // how often the actor got a command
	tooLate  map[string]bool // the commands that must not reach the actor
	orphans  map[string]bool // those whose replies may be lost
	faults   []string
	waitsFor string // a command that is not settled
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
	return &judge{world: w, lateEnds: true, subs: map[string]*subscription{all: {step: 1}, even: {step: 2}}, states: map[string][]string{}, got: map[string]int{}, tooLate: map[string]bool{}, orphans: map[string]bool{}}
}

func (j *judge) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

// command returns the name of the next command.
func (j *judge) command() string {
	j.sent++
	return name(j.sent)
}

func name(n int) string { return fmt.Sprintf("c%d", n) }

// does returns what a command does: each third one fails.
func (j *judge) does(as string) string {
	var n int
	_, _ = fmt.Sscanf(as, "c%d", &n)
	if n%3 == 0 {
		return "jam"
	}
	return "open"
}

// lossTill takes note that the bridge has forgotten everything: broadcasts up to this one, and replies to commands, may be lost.
func (j *judge) lossTill(broadcast int) {
	j.lostTill = broadcast
	for n := 1; n <= j.sent; n++ {
		if as := name(n); !final(j.state(as)) {
			j.orphans[as] = true
		}
	}
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
		if as := fmt.Sprint(m["as"]); !j.closed {
			j.states[as] = append(j.states[as], fmt.Sprint(m["state"]))
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

// state is the last state of a command.
func (j *judge) state(as string) string {
	if states := j.states[as]; len(states) > 0 {
		return states[len(states)-1]
	}
	return ""
}

func final(state string) bool { return slices.Contains([]string{"done", "failed", "rejected"}, state) }

// settled reports whether each command has the end that it will have: the actor ends each one that it gets.
func (j *judge) settled() bool {
	j.drain()
	for n := 1; n <= j.sent; n++ {
		as := name(n)
		state := j.state(as)
		if !final(state) && !(state == "unknown" && (j.got[as] == 0 || j.orphans[as] || !j.lateEnds)) {
			j.waitsFor = fmt.Sprintf("; %s is not settled, which the actor got %d times, and which was %v", as, j.got[as], j.states[as])
			return false
		}
	}
	j.waitsFor = ""
	return true
}

// drain notes what the actor has got by now.
func (j *judge) drain() {
	for {
		select {
		case id := <-j.world.got:
			j.got[id]++
		default:
			return
		}
	}
}

// verdict returns every fault.
func (j *judge) verdict() []string {
	j.drain()
	faults := slices.Clone(j.faults)
	unknown := 0
	for n := 1; n <= j.sent; n++ {
		faults = append(faults, j.wrong(name(n))...)
		if j.state(name(n)) == "unknown" {
			unknown++
		}
	}
	if !j.lateEnds && unknown > j.sent/2 {
		faults = append(faults, fmt.Sprintf("of %d commands, %d stay unknown", j.sent, unknown))
	}
	return faults
}

// wrong returns what is wrong with a command.
func (j *judge) wrong(as string) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	got, state := j.got[as], j.state(as)
	if got > 1 {
		fault("the actor got the command %s %d times", as, got)
	}
	if got > 0 && j.tooLate[as] {
		fault("the actor got the command %s after it had expired", as)
	}
	if got > 0 && state == "rejected" {
		fault("the command %s was rejected, and the actor got it", as)
	}
	if got == 0 && (state == "done" || state == "failed") {
		fault("the command %s is %s, and the actor has not got it", as, state)
	}
	if fails := j.does(as) == "jam"; fails && state == "done" || !fails && state == "failed" {
		fault("the command %s is %s, and the actor said otherwise", as, state)
	}
	ends := 0
	for _, state := range j.states[as] {
		if final(state) {
			ends++
		}
	}
	if ends > 1 {
		fault("the command %s has several ends: %v", as, j.states[as])
	}
	return faults
}

// summary counts the states.
func (j *judge) summary() string {
	count := map[string]int{}
	for n := 1; n <= j.sent; n++ {
		count[j.state(name(n))]++
	}
	return fmt.Sprintf("broadcast %d of %d, %d commands: %v%s", j.subs[all].last, j.world.said, j.sent, count, j.waitsFor)
}
