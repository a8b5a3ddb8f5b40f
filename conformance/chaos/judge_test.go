package chaos

import (
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/conformance"
)

func TestTheJudgeSeesEachFault(t *testing.T) {
	fine := []string{
		`{"event": "reply", "on": "all", "body": {"n": 1}}`, `{"event": "command", "as": "c1", "state": "sent"}`,
		`{"event": "reply", "on": "all", "body": {"n": 2}}`, `{"event": "command", "as": "c1", "state": "unknown"}`,
		`{"event": "command", "as": "c1", "state": "done"}`,
	}
	late := func(j *judge) { j.commands.TooLate("c1") }
	loss := func(till int) func(*judge) { return func(j *judge) { j.lossTill(till) } }
	for _, c := range []struct {
		name   string
		before func(*judge) // the rest
		more   []string
		got    []string // what the actor got
		want   string
	}{
		{"all is well", nil, nil, []string{"c1"}, ""},
		{"a hole", nil, []string{`{"event": "reply", "on": "all", "body": {"n": 4}}`}, []string{"c1"}, `the broadcast 4 comes after 2 on "all", and no gap`},
		{"a double", nil, []string{`{"event": "reply", "on": "all", "body": {"n": 2}}`}, []string{"c1"}, "the broadcast 2 comes after 2"},
		{"a hole in the other subscription", nil, []string{`{"event": "reply", "on": "even", "body": {"n": 4}}`}, []string{"c1"}, `the broadcast 4 comes after 0 on "even", and no gap`},
		{"a wrong reply", nil, []string{`{"event": "reply", "on": "even", "body": {"n": 3}}`}, []string{"c1"}, `the broadcast 3 is shown on "even"`},
		{"a gap for no reason", nil, []string{`{"event": "gap", "seconds": 1}`}, []string{"c1"}, "the bridge has all replies"},
		{"a gap after a loss", loss(3), []string{`{"event": "gap", "seconds": 1}`, `{"event": "reply", "on": "all", "body": {"n": 4}}`}, []string{"c1"}, ""},
		{"a hole after a gap and a reply", loss(9), []string{`{"event": "gap", "seconds": 1}`, `{"event": "reply", "on": "all", "body": {"n": 3}}`,
			`{"event": "reply", "on": "all", "body": {"n": 5}}`}, []string{"c1"}, `the broadcast 5 comes after 3 on "all", and no gap`},
		{"a hole after a loss that is not told", loss(3), []string{`{"event": "reply", "on": "all", "body": {"n": 4}}`}, []string{"c1"}, "no gap is told"},
		{"a command twice", nil, nil, []string{"c1", "c1"}, "got the command c1 2 times"},
		{"a command late", late, nil, []string{"c1"}, "after it had expired"},
		{"a command that came late", func(j *judge) { j.commands.Late("c2") }, []string{`{"event": "command", "as": "c2", "state": "done"}`}, []string{"c1", "c2"}, "c2 late, and it was never unknown"},
		{"a command that was unknown and came late", func(j *judge) { j.commands.Late("c1") }, nil, []string{"c1"}, ""},
		{"an end from nowhere", nil, nil, nil, "is done, and the actor has not got it"},
		{"another end", nil, []string{`{"event": "command", "as": "c1", "state": "failed"}`}, []string{"c1"}, "several ends"},
		{"a failure without an actor", nil, []string{`{"event": "command", "as": "c2", "state": "failed"}`}, []string{"c1"}, "c2 is failed, and the actor has not got it"},
		{"a failure while the actor was away", func(j *judge) { j.commands.Away("c2") }, []string{`{"event": "command", "as": "c2", "state": "failed"}`}, []string{"c1"}, ""},
		{"a false end", nil, []string{`{"event": "command", "as": "c1", "state": "failed"}`}, []string{"c1"}, "the actor said otherwise"},
		{"rejected, and run", nil, []string{`{"event": "command", "as": "c1", "state": "rejected"}`}, []string{"c1"}, "was rejected, and the actor got it"},
	} {
		w := &world{got: make(chan string, 10)}
		j := newJudge(w)
		j.commands.Next()
		j.commands.Next()
		if c.before != nil {
			c.before(j)
		}
		for _, line := range append(append([]string{}, fine...), c.more...) {
			m, err := conformance.Parse([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			j.event(m)
		}
		for _, id := range c.got {
			w.got <- id
		}
		faults := strings.Join(j.verdict(), "; ")
		if c.want == "" && faults != "" || !strings.Contains(faults, c.want) {
			t.Errorf("%s: the faults are %q, want %q", c.name, faults, c.want)
		}
	}
}

func TestACommandSettlesOnceItsActorHasEndedIt(t *testing.T) {
	w := &world{got: make(chan string, 10)}
	j := newJudge(w)
	as := j.commands.Next()
	for _, state := range []string{"sent", "unknown"} {
		j.commands.Show(conformance.Message{"as": as, "state": state})
	}
	if !j.settled() {
		t.Error("a command that nobody got is unknown for ever")
	}
	w.got <- as
	if j.settled() {
		t.Error("the actor has ended the command, and the client has not shown it")
	}
	j.lossTill(1)
	if !j.settled() {
		t.Error("the replies to the command may be lost")
	}
}

func TestASeedIsAScenario(t *testing.T) {
	one, same, other := newScenario(1), newScenario(1), newScenario(2)
	if !slices.Equal(one.faults, same.faults) || one.moment() != same.moment() {
		t.Error("a seed does not stand for one scenario")
	}
	if slices.Equal(one.faults, other.faults) {
		t.Error("two seeds stand for the same scenario")
	}
	slices.Sort(one.faults)
	all := slices.Sorted(slices.Values(deck))
	if !slices.Equal(one.faults, all) {
		t.Errorf("a scenario has %v, want each of %v", one.faults, all)
	}
}
