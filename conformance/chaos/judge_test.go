package chaos

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/conformance"
)

func TestTheJudgeSeesEachFault(t *testing.T) {
	fine := []string{
		`{"event": "reply", "on": "s", "body": {"n": 1}}`, `{"event": "command", "as": "c1", "state": "sent"}`,
		`{"event": "reply", "on": "s", "body": {"n": 2}}`, `{"event": "command", "as": "c1", "state": "unknown"}`,
		`{"event": "command", "as": "c1", "state": "done"}`,
	}
	for _, c := range []struct {
		more []string
		got  []string // what the actor got
		want string
	}{
		{nil, []string{"c1"}, ""},
		{[]string{`{"event": "reply", "on": "s", "body": {"n": 4}}`}, []string{"c1"}, "the broadcast 4 comes after 2"},
		{[]string{`{"event": "reply", "on": "s", "body": {"n": 2}}`}, []string{"c1"}, "the broadcast 2 comes after 2"},
		{[]string{`{"event": "gap", "seconds": 1}`}, []string{"c1"}, "the bridge has all replies"},
		{nil, []string{"c1", "c1"}, "got the command c1 2 times"},
		{nil, nil, "is done, and the actor has not got it"},
		{[]string{`{"event": "command", "as": "c1", "state": "failed"}`}, []string{"c1"}, "several ends"},
		{[]string{`{"event": "command", "as": "c1", "state": "rejected"}`}, []string{"c1"}, "was rejected, and the actor got it"},
	} {
		w := &world{got: make(chan string, 10)}
		j := newJudge(w)
		j.sent = 1
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
		faults := strings.Join(j.all(), "; ")
		if c.want == "" && faults != "" || !strings.Contains(faults, c.want) {
			t.Errorf("after %v the faults are %q, want %q", c.more, faults, c.want)
		}
	}
}
