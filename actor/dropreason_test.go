package actor_test

import (
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

func TestAReplyIsDroppedWhereCLUDropsIt(t *testing.T) {
	for _, test := range []struct {
		name        string
		headers     amqpx.Table
		correlation string
		want        error
	}{
		{"a plain reply", amqpx.Table{"message_code": "i"}, "", nil},
		{"no headers", nil, "", actor.ErrNoCode},
		{"no code", amqpx.Table{"sender": "x"}, "", actor.ErrNoCode},
		{"an empty code", amqpx.Table{"message_code": ""}, "", actor.ErrNoCode},
		{"a null code is the text None", amqpx.Table{"message_code": nil}, "", nil},
		{"a code that is a number", amqpx.Table{"message_code": int32(0)}, "", nil},
		{"an unknown code", amqpx.Table{"message_code": "zz"}, "", nil},
		{"no sender", amqpx.Table{"message_code": ":"}, "", nil},
		{"an internal reply", amqpx.Table{"message_code": ":", "internal": true}, "", nil},
		{"matching ids", amqpx.Table{"message_code": ":", "command_id": "a"}, "a", nil},
		{"differing ids", amqpx.Table{"message_code": ":", "command_id": "a"}, "b", actor.ErrIDMismatch},
		{"an id without correlation id", amqpx.Table{"message_code": ":", "command_id": "a"}, "", actor.ErrIDMismatch},
		{"a correlation id without id", amqpx.Table{"message_code": ":"}, "b", nil},
		{"a null id", amqpx.Table{"message_code": ":", "command_id": nil}, "b", nil},
		{"an empty id", amqpx.Table{"message_code": ":", "command_id": ""}, "b", nil},
		{"the id 0 is false", amqpx.Table{"message_code": ":", "command_id": int64(0)}, "b", nil},
		{"the id 7 is not a string", amqpx.Table{"message_code": ":", "command_id": int64(7)}, "7", actor.ErrIDMismatch},
		{"the id True", amqpx.Table{"message_code": ":", "command_id": true}, "True", actor.ErrIDMismatch},
		{"the id False", amqpx.Table{"message_code": ":", "command_id": false}, "b", nil},
		{"an empty list as id", amqpx.Table{"message_code": ":", "command_id": []any{}}, "b", nil},
		{"a list as id", amqpx.Table{"message_code": ":", "command_id": []any{"b"}}, "b", actor.ErrIDMismatch},
		{"no code wins over differing ids", amqpx.Table{"command_id": "a"}, "b", actor.ErrNoCode},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, got := actor.ParseReply(&amqpx.Delivery{Headers: test.headers, CorrelationId: test.correlation, Body: []byte("{}")})
			if got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestAnInvalidBodyIsDroppedWithTheReason(t *testing.T) {
	for _, test := range []struct {
		body string
		want error
	}{
		{"", actor.ErrNoBody},
		{" \r\n\t", actor.ErrNoBody},
		{"\ufeff", actor.ErrNoBody},
		{"hello", actor.ErrNotJSON},
		{`{"a": }`, actor.ErrNotJSON},
		{`{"a": 1} 2`, actor.ErrNotJSON},
		{`{NaN: 1}`, actor.ErrNotJSON},
		{`-NaN`, actor.ErrNotJSON},
		{`nan`, actor.ErrNotJSON},
		{"{\"a\": \"\xff\"}", actor.ErrNotUTF8},
	} {
		d := &amqpx.Delivery{Headers: amqpx.Table{"message_code": "i"}, Body: []byte(test.body), Timestamp: time.Now()}
		dst, err := actor.Envelope{}.Append([]byte("before"), d)
		if err != test.want || string(dst) != "before" {
			t.Errorf("%q: the envelope gives %v and leaves %q, want %v", test.body, err, dst, test.want)
		}
		if _, err := actor.ParseReply(d); err != test.want {
			t.Errorf("%q: ParseReply gives %v, want %v", test.body, err, test.want)
		}
	}
}

func TestTheListOfReasonsIsComplete(t *testing.T) {
	source, err := os.ReadFile("dropreason.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\t\w+\s+DropReason = "(.*)"$`).FindAllStringSubmatch(string(source), -1)
	if len(declared) == 0 {
		t.Fatal("no reason is declared")
	}
	for _, d := range declared {
		if !slices.Contains(actor.DropReasons(), actor.DropReason(d[1])) {
			t.Errorf("%q is not in the list", d[1])
		}
	}
}
