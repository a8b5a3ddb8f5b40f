package chaos

import (
	"fmt"
	"slices"

	"github.com/clu-ws/clu-ws/conformance"
)

// Commands judges what a client shows of its commands, against what their actor got. It is for one goroutine.
type Commands struct {
	LateEnds bool // the client tells the end of a command that was unknown

	sent    int
	ended   int // all up to this one have their end
	states  map[string][]string
	got     map[string]int  // how often the actor got a command
	tooLate map[string]bool // the commands that must not reach the actor
	late    map[string]bool // those that may reach it only if they were unknown
	orphans map[string]bool // those whose replies may be lost
	away    map[string]bool // those that may have found no actor
}

// NewCommands returns the judge of a client that has sent no command.
func NewCommands() *Commands {
	return &Commands{
		LateEnds: true, states: map[string][]string{}, got: map[string]int{}, tooLate: map[string]bool{},
		late: map[string]bool{}, orphans: map[string]bool{}, away: map[string]bool{},
	}
}

// Next returns the name of the next command.
func (c *Commands) Next() string {
	c.sent++
	return name(c.sent)
}

func name(n int) string { return fmt.Sprintf("c%d", n) }

// Does returns what a command does: each third one fails.
func (c *Commands) Does(as string) string {
	var n int
	_, _ = fmt.Sscanf(as, "c%d", &n)
	if n%3 == 0 {
		return "jam"
	}
	return "open"
}

// Show notes a state that the client shows.
func (c *Commands) Show(m conformance.Message) {
	as := fmt.Sprint(m["as"])
	c.states[as] = append(c.states[as], fmt.Sprint(m["state"]))
}

// Got notes that the actor got a command.
func (c *Commands) Got(as string) { c.got[as]++ }

// TooLate notes that a command must not reach its actor.
func (c *Commands) TooLate(as string) { c.tooLate[as] = true }

// Late notes that a command reached its actor late. The broker may do that to one that was sent in time, if it does not
// confirm it in time: then its state has been unknown.
func (c *Commands) Late(as string) { c.late[as] = true }

// Away notes that a command may have found no actor, which fails it.
func (c *Commands) Away(as string) { c.away[as] = true }

// LoseReplies notes that replies to the commands without an end may be lost.
func (c *Commands) LoseReplies() {
	for n := c.ended + 1; n <= c.sent; n++ {
		if as := name(n); !final(c.State(as)) {
			c.orphans[as] = true
		}
	}
}

// State is the last state of a command.
func (c *Commands) State(as string) string {
	if states := c.states[as]; len(states) > 0 {
		return states[len(states)-1]
	}
	return ""
}

func final(state string) bool { return slices.Contains([]string{"done", "failed", "rejected"}, state) }

// Unsettled describes a command that has not the end that it will have, "" without one: the actor ends each one that it
// gets.
func (c *Commands) Unsettled() string {
	for n := c.ended + 1; n <= c.sent; n++ {
		as := name(n)
		state := c.State(as)
		switch {
		case final(state):
			if n == c.ended+1 {
				c.ended = n
			}
		case state != "unknown" || (c.got[as] > 0 && !c.orphans[as] && c.LateEnds):
			return fmt.Sprintf("; %s is not settled, which the actor got %d times, and which was %v", as, c.got[as], c.states[as])
		}
	}
	return ""
}

// Verdict returns every fault.
func (c *Commands) Verdict() (faults []string) {
	unknown := 0
	for n := 1; n <= c.sent; n++ {
		faults = append(faults, c.wrong(name(n))...)
		if c.State(name(n)) == "unknown" {
			unknown++
		}
	}
	if !c.LateEnds && unknown > c.sent*3/4 { // on a busy machine many a reply comes when its program has ended
		faults = append(faults, fmt.Sprintf("of %d commands, %d stay unknown", c.sent, unknown))
	}
	return faults
}

// wrong returns what is wrong with a command.
func (c *Commands) wrong(as string) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	got, state := c.got[as], c.State(as)
	if got > 1 {
		fault("the actor got the command %s %d times", as, got)
	}
	if got > 0 && c.tooLate[as] {
		fault("the actor got the command %s after it had expired", as)
	}
	if c.late[as] && !slices.Contains(c.states[as], "unknown") {
		fault("the actor got the command %s late, and it was never unknown", as)
	}
	if got > 0 && state == "rejected" {
		fault("the command %s was rejected, and the actor got it", as)
	}
	absent := state == "failed" && c.away[as]
	if got == 0 && (state == "done" || state == "failed") && !absent {
		fault("the command %s is %s, and the actor has not got it", as, state)
	}
	if fails := c.Does(as) == "jam"; fails && state == "done" || !fails && state == "failed" && (got > 0 || !absent) {
		fault("the command %s is %s, and the actor said otherwise", as, state)
	}
	ends := 0
	for _, state := range c.states[as] {
		if final(state) {
			ends++
		}
	}
	if ends > 1 {
		fault("the command %s has several ends: %v", as, c.states[as])
	}
	return faults
}

// Count returns how many commands are in each state.
func (c *Commands) Count() map[string]int {
	count := map[string]int{}
	for n := 1; n <= c.sent; n++ {
		count[c.State(name(n))]++
	}
	return count
}
