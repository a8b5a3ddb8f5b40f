package filter_test

import (
	"net/url"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

func TestQueryIsReadAsTheSameFilterInJSON(t *testing.T) {
	for _, test := range []struct {
		query, json string
		found       bool
	}{
		{"", `{}`, false},
		{"since=a:1&Sender=a", `{}`, false},
		{"sender=*", `{}`, true},
		{"sender=a&sender=b", `{"sender": ["a", "b"]}`, true},
		{"sender=b,a&since=a:1&sender=a", `{"sender": ["a", "b"]}`, true},
		{"routing_key=reply.%23,x", `{"routing_key": ["reply.#", "x"]}`, true},
		{"message_code=>,:&internal=false", `{"message_code": [">", ":"], "internal": false}`, true},
		{"internal=true,false", `{}`, true},
		{"command_id=a&commander=me&keyword=b*", `{"command_id": "a", "commander": "me", "keyword": "b*"}`, true},
	} {
		query, err := url.ParseQuery(test.query)
		if err != nil {
			t.Fatal(err)
		}
		f, found, err := filter.FromQuery(query)
		if err != nil {
			t.Errorf("%s: %v", test.query, err)
			continue
		}
		if want := parse(t, test.json).Key(); f.Key() != want || found != test.found {
			t.Errorf("%s: got %s and %v, want %s and %v", test.query, f.Key(), found, want, test.found)
		}
	}
}
