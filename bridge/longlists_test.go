package bridge

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestLongListsInARequestAreNotParsed(t *testing.T) {
	ones := "[" + strings.Repeat("1,", 500_000) + "1]"
	texts := "[" + strings.Repeat(`"a",`, 250_000) + `"a"]`
	s := newHarness(t, rooms.Source{Exchange: "x", Path: "/x"})
	l := s.connect()
	for request, want := range map[string]string{
		`{"op": "subscribe", "filter": {"sender": ` + texts + `}}`:                `has 250001 values, but may have 256`,
		`{"op": "subscribe", "filter": ` + testkit.ObjectWithFields(90_000) + `}`: `has an unknown field "0"`,
		`{"op": "subscribe", "since": ` + testkit.ObjectWithFields(90_000) + `}`:  `has more than 64 fields`,
		`{"op": "subscribe", "rooms": ` + texts + `}`:                             `names 250001 rooms; name 1 to 64`,
		`{"op": "subscribe", "rooms": ` + ones + `}`:                              `"rooms" has a number in it`,
		`{"op": "subscribe", "rooms": "/x"}`:                                      `"rooms" is a string`,
		`{"op": "subscribe", "filter": {"sender": ["a", ` + ones + `]}}`:          `is not a string`,
	} {
		if got := s.refused(l, request); !strings.Contains(got, want) {
			t.Errorf("%.60s: %s", request, got)
		}
	}
}
