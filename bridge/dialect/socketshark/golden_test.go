package socketshark_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// goldenCase is recorded traffic of SocketShark 0.5.0.
type goldenCase struct {
	Case   string
	Config struct {
		Services       map[string]map[string]any `json:"SERVICES"`
		Authentication *map[string]any           `json:"AUTHENTICATION"`
		Ping           *map[string]any           `json:"WS_PING"`
	}
	Steps []step
}

// step is what happened next.
type step struct {
	At     float64 // seconds since the case began
	Client int

	Connects *string         // a client connects, with this path
	Sends    json.RawMessage // it sends a text, or {"base64": ...}
	Gets     *string
	Closes   int // it closes the connection
	Drops    bool
	Closed   *int // the connection is closed by the server
	Pinged   string
	Refused  *int

	Callback string // a backend is asked, POST and a path
	Body     string
	Answers  *answer
	Delayed  string `json:"backend_answers"` // it answers only now
	Waits    float64

	Publishes *struct {
		Channel string `json:"redis_channel"`
		Body    string
	} `json:"backend_publishes"`
	Redis  string
	Signal string `json:"service_signal"`
}

type answer struct {
	Status  int
	Body    string
	Headers map[string]string
	After   float64
}

func gets(text string) step { return step{Client: 1, Gets: &text} }

func callback(path, body, answers string) step {
	return step{Callback: "POST " + path, Body: body, Answers: &answer{Status: 200, Body: answers}}
}

// better are the cases in which SocketShark is wrong, with what is right. docs/migrating.md lists them.
var better = map[string]struct {
	reason string
	steps  func(steps []step) []step
}{
	"subscription that is no string": {"the client is told what is wrong", func(s []step) []step {
		return append(s[:2], gets(`{"event": "subscribe", "status": "error", "error": "Invalid subscription format."}`))
	}},
	"subscription that is an array": {"the client is told what is wrong", func(s []step) []step {
		return append(s[:2], gets(`{"event": "subscribe", "status": "error", "error": "Invalid subscription format."}`))
	}},
	"published options null and not an object": {"no message is lost for its options", func(s []step) []step {
		return slices.Insert(s, 4, gets(strings.Replace(*s[5].Gets, `"data": 2`, `"data": 1`, 1)))
	}},
	"published during subscribing, before_subscribe then refuses": {"a refused subscription leaves nothing behind", func(s []step) []step {
		return slices.DeleteFunc(s, func(s step) bool {
			return s.Gets != nil && (strings.Contains(*s.Gets, `"during"`) || strings.Contains(*s.Gets, "after refusal"))
		})
	}},
	"published filter_fields on an authorizer field": {"its fields filter, as its documentation says", func(s []step) []step {
		n := slices.IndexFunc(s, func(s step) bool { return s.Gets != nil && strings.Contains(*s.Gets, `"none"`) })
		equal := gets(strings.Replace(*s[n].Gets, `"none"`, `"equal"`, 1))
		return slices.Insert(slices.Delete(s, n, n+1), n-1, equal)
	}},
	"authorization renewal refused without text, with hooks": {"the client and the backend are told", func(s []step) []step {
		about := `{"subscription": "renewal_hooks.t", "capabilities": ["read"], "session_id": "sess_1", "user_id": "user_1"}`
		return append(s, callback("/unsubscribe/", about, `{"status": "ok", "data": 5}`), callback("/on_unsubscribe/", about, `{}`),
			gets(`{"event": "unsubscribe", "subscription": "renewal_hooks.t", "data": 5, "error": "Unauthorized."}`))
	}},
	"authorization renewal: authorizer answers 500": {"an outage unsubscribes nobody", func(s []step) []step {
		last := len(s) - 1
		again := s[last-1]
		again.At, again.Answers = 1.5, &answer{Status: 200, Body: `{"status": "ok"}`}
		return append(s[:last], again)
	}},
	"service gets SIGTERM with a subscribed client": {"clients are told with 1001 that the server goes away", func(s []step) []step {
		n := slices.IndexFunc(s, func(s step) bool { return s.Closed != nil })
		code := 1001
		s[n].Closed = &code
		return s
	}},
	"Redis goes away with a subscribed client": {"the server goes on, and clients subscribe again once messages can come", func(s []step) []step {
		n := slices.IndexFunc(s, func(s step) bool { return s.Closed != nil })
		code := 1012
		s[n].Closed = &code
		ping := step{Client: 1, Sends: json.RawMessage(`"{\"event\": \"ping\"}"`)}
		s = slices.Insert(s, n, ping, gets(`{"event": "pong", "data": null}`), step{Redis: "started"})
		again := slices.IndexFunc(s, func(s step) bool { return s.Refused != nil })
		return slices.Delete(s, again, again+1)
	}},
}

// The recorded traffic, with the same moves of the clients and the backends.
func TestRecordedTraffic(t *testing.T) {
	cases := goldenCases(t)
	known := 0
	for _, c := range cases {
		if b, ok := better[c.Case]; ok {
			c.Steps = b.steps(c.Steps)
			known++
		}
	}
	if known != len(better) {
		t.Fatalf("%d of the %d cases in which SocketShark is wrong are recorded", known, len(better))
	}
	replay(t, cases)
}

// goldenCases returns all recorded cases.
func goldenCases(t *testing.T) (cases []*goldenCase) {
	t.Helper()
	text, err := os.ReadFile("testdata/socketshark.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		c := &goldenCase{}
		if err := json.Unmarshal(line, c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if len(cases) != 107 {
		t.Fatalf("there are %d cases, not 107", len(cases))
	}
	return cases
}

// sameJSON reports whether two texts are the same JSON. "<time>" is any time.
func sameJSON(want, got string) bool {
	var w, g any
	if json.Unmarshal([]byte(want), &w) != nil || json.Unmarshal([]byte(got), &g) != nil {
		return false
	}
	if w, ok := w.(map[string]any); ok {
		g, _ := g.(map[string]any)
		for key, v := range w {
			given, _ := g[key].(string)
			if _, err := time.Parse(time.RFC3339, given); err == nil && v == "<time>" {
				g[key] = v
			}
		}
	}
	return reflect.DeepEqual(w, g)
}
