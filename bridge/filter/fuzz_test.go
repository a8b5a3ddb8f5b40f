package filter_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// FuzzParse feeds arbitrary texts to Parse, and arbitrary replies to what it makes of them. A refusal
// is a readable line, and a filter's key is read as the same filter.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		``, `null`, `{}`, `[]`, `{"sender": ["a", "lvm*"], "internal": [false]}`, `{"routing_key": ["reply.#", "*.a"]}`,
		`{"message_code": ":", "commander": "me"}`, `{"keyword": "[a-z]?[^-x]*"}`, `{"sender": "[*][?][[]]\ud800"}`, `{"sender": "[a"}`,
		`{"sender": null, "command_id": ""}`, `{"x": 1}`, `{"internal": "no"}`,
	} {
		f.Add([]byte(text), "lvmecp", "reply.a.b", ":", true)
	}
	f.Fuzz(func(t *testing.T, raw []byte, text, routingKey, code string, flag bool) {
		parsed, err := filter.Parse(json.RawMessage(raw))
		if err != nil {
			if s := err.Error(); parsed != nil || utf8.Valid(raw) && !utf8.ValidString(s) || len(s) > 1000 || strings.ContainsRune(s, '\x00') {
				t.Fatalf("a refusal is %q, with %v", s, parsed)
			}
			return
		}
		again, err := filter.Parse(json.RawMessage(parsed.Key()))
		if err != nil || again.Key() != parsed.Key() || again.Mine() != parsed.Mine() || again.NeedsKeywords() != parsed.NeedsKeywords() {
			t.Fatalf("the key %s of %q is another filter: %v", parsed.Key(), raw, err)
		}
		r := &filter.Reply{Sender: text, RoutingKey: routingKey, Code: code, CommandID: text, Commander: text, Internal: flag, Keywords: []string{text, code}}
		if parsed.MatchMine(r, flag) != again.MatchMine(r, flag) {
			t.Fatalf("%q and its key %s differ about %+v", raw, parsed.Key(), r)
		}
		if parsed.Match(r) && !parsed.MatchMine(r, true) {
			t.Fatalf("%q selects %+v only if it is not mine", raw, r)
		}
	})
}
