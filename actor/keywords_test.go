package actor

import (
	"encoding/json"
	"math"
	"testing"
)

func TestKeywordsThatJSONCannotHoldBecomeNull(t *testing.T) {
	for _, test := range []struct {
		keywords Keywords
		want     string
	}{
		{nil, `{}`},
		{Keywords{"b": 1, "a": "</b>&"}, `{"a":"</b>&","b":1}`},
		{Keywords{"a": math.NaN(), "b": 2.5}, `{"a":null,"b":2.5}`},
		{Keywords{"a": []float64{1, math.Inf(1), 3}}, `{"a":[1,null,3]}`},
		{Keywords{"a": func() {}}, `{"a":null}`},
		{Keywords{"a": json.RawMessage(`{"x": <}`)}, `{"a":null}`},
		{Keywords{"a": []string{"x"}, "b": nil}, `{"a":["x"],"b":null}`},
	} {
		if got := string(test.keywords.body()); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestTheReasonOfAFailureIsFound(t *testing.T) {
	for body, want := range map[string]string{
		`{"error": "Gave up."}`:                      "Gave up.",
		`{"error": ["one", "two"]}`:                  "one\ntwo",
		`{"error": {"message": "bad", "type": "E"}}`: "bad",
		`{"error": {"type": "E"}}`:                   `{"type": "E"}`,
		`{"text": "done for"}`:                       "done for",
		`{"error": "first", "text": "not this"}`:     "first",
		`{"position": 1}`:                            "",
		`[1]`:                                        "",
		`{"error": NaN}`:                             "", // no JSON; ParseReply has made it null
		`{"error": 3}`:                               "3",
	} {
		if got := (Reply{Body: json.RawMessage(body)}).ErrorText(); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
