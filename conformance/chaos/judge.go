package chaos

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/conformance"
)

// judge notes what a client shows.
type judge struct {
	world      *world
	subscribed bool
	closed     bool
	last       int // the last broadcast
	sent       int // commands
	states     map[string][]string
	got        map[string]int // how often the actor got a command
	faults     []string
}

func newJudge(w *world) *judge {
	return &judge{world: w, states: map[string][]string{}, got: map[string]int{}}
}

func (j *judge) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

// event notes an event of the driver.
func (j *judge) event(m conformance.Message) {
	switch m["event"] {
	case "subscribed":
		j.subscribed = true
	case "closed":
		j.closed = true
	case "gap", "dropped", "refused":
		j.fault("%v, and the bridge has all replies: %v", m["event"], m)
	case "reply":
		body, _ := m["body"].(map[string]any)
		text, _ := body["n"].(json.Number)
		n, _ := text.Int64()
		if int(n) != j.last+1 {
			j.fault("the broadcast %d comes after %d", n, j.last)
		}
		j.last = max(j.last, int(n))
	case "command":
		if as := fmt.Sprint(m["as"]); !j.closed {
			j.states[as] = append(j.states[as], fmt.Sprint(m["state"]))
		}
	case "broken":
		j.fault("the driver prints %v", m)
	}
}

// state is the last state of a command.
func (j *judge) state(as string) string {
	if states := j.states[as]; len(states) > 0 {
		return states[len(states)-1]
	}
	return ""
}

// settled reports whether each command has the end that it will have: the actor ends each one that it gets.
func (j *judge) settled() bool {
	j.drain()
	for n := 1; n <= j.sent; n++ {
		as := name(n)
		switch state := j.state(as); {
		case state == "done", state == "rejected":
		case state == "unknown" && j.got[as] == 0:
		default:
			return false
		}
	}
	return true
}

// verdict reports every fault.
func (j *judge) verdict(t *testing.T) {
	t.Helper()
	for _, fault := range j.all() {
		t.Error(fault)
	}
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

// all returns every fault.
func (j *judge) all() []string {
	j.drain()
	for n := 1; n <= j.sent; n++ {
		as := name(n)
		if j.got[as] > 1 {
			j.fault("the actor got the command %s %d times", as, j.got[as])
		}
		if j.state(as) == "rejected" && j.got[as] > 0 {
			j.fault("the command %s was rejected, and the actor got it", as)
		}
		if j.state(as) == "done" && j.got[as] == 0 {
			j.fault("the command %s is done, and the actor has not got it", as)
		}
		ends := 0
		for _, state := range j.states[as] {
			if slices.Contains([]string{"done", "failed", "rejected"}, state) {
				ends++
			}
		}
		if ends > 1 {
			j.fault("the command %s has several ends: %v", as, j.states[as])
		}
	}
	return j.faults
}

// summary counts the states.
func (j *judge) summary() string {
	count := map[string]int{}
	for n := 1; n <= j.sent; n++ {
		count[j.state(name(n))]++
	}
	return fmt.Sprintf("broadcast %d of %d, %d commands: %v", j.last, broadcasts, j.sent, count)
}
