package actor

import (
	"encoding/json"
	"testing"
)

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
		`{"error": NaN}`:                             "", // not JSON; ParseReply makes it null
		`{"error": 3}`:                               "3",
	} {
		if got := (Reply{Body: json.RawMessage(body)}).ErrorText(); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
