package hub

import (
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

func TestTheReasonOfAFailureIsTheActorsErrorElseItsText(t *testing.T) {
	long := strings.Repeat("x", maxReason)
	for body, want := range map[string]string{
		`{"text": "t", "error": "e"}`:      "e",
		`{"text": "t"}`:                    "t",
		`{"error": " ", "text": " t\n"}`:   "t",
		`{"error": "first", "error": "e"}`: "e",
		`{"help": "h"}`:                    "The actor gave no reason.",
		`{}`:                               "The actor gave no reason.",
		`["error"]`:                        "The actor gave no reason.",
		`{"error": "` + long + `"}`:        long,
		`{"error": "` + long + `y"}`:       long + "...",
		`{"error": "` + long[1:] + `éé"}`:  long[1:] + "...", // an é is not cut in half
		`{"error": "` + long[2:] + `éé"}`:  long[2:] + "é...",
		`{"error": "` + long[3:] + `😀xx"}`: long[3:] + "...",
	} {
		if got := reasonOf([]byte(body)); got != want {
			t.Errorf("%.60s: the reason is %.60q... of %d bytes, want %d", body, got, len(got), len(want))
		}
	}
}

func TestMillisecondsAreToldToTheMicrosecond(t *testing.T) {
	for d, want := range map[time.Duration]float64{0: 0, 1_234_567: 1.234, 2 * time.Second: 2000} {
		if got := Milliseconds(d); got != want {
			t.Errorf("%v are %v ms, want %v", d, got, want)
		}
	}
}

func TestOnlyTheResultOfAFailureHasAReason(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	for code, want := range map[string][2]any{":": {"done", nil}, "f": {"failed", "no power"}} {
		id := "request " + code
		if _, err := s.hub.Inflight.Add(l, CommandKey{id, "a"}, s.hub.ResultWaiter(l, l.session, &id)); err != nil {
			t.Fatal(err)
		}
		s.saysBody(filter.Reply{Sender: "a", Code: code, CommandID: id, Commander: "bridge.a"}, `{"error": "no power"}`)
		if m := s.await(l, "result"); m["id"] != id || m["status"] != want[0] || m["message"] != want[1] {
			t.Errorf("the result of %s is %v", code, m)
		}
	}
}
