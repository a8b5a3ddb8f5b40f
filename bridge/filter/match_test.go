package filter_test

import (
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// done is the reply that most tests look at.
func done() filter.Reply {
	return filter.Reply{
		Sender: "lvm.sci/pwi", RoutingKey: "reply.bridge.lvmecp", Code: ":", CommandID: "id-1", Commander: "bridge.lvmecp",
		Keywords: []string{"dome_open", "text"},
	}
}

func TestAFieldMatchesByOneOfItsValues(t *testing.T) {
	for text, want := range map[string]bool{
		`{"sender": "lvm.sci/pwi"}`:                true,
		`{"sender": ["x", "lvm.sci/pwi"]}`:         true,
		`{"sender": "lvm.sci"}`:                    false,
		`{"sender": "lvm.*"}`:                      true,
		`{"sender": "lvm?sci?pwi"}`:                true,
		`{"sender": "*.sci"}`:                      false,
		`{"routing_key": "reply.bridge.lvmecp"}`:   true,
		`{"routing_key": "reply.#"}`:               true,
		`{"routing_key": "reply.*"}`:               false,
		`{"routing_key": ["reply.*", "#.lvmecp"]}`: true,
		`{"message_code": [":", "f"]}`:             true,
		`{"message_code": ">"}`:                    false,
		`{"keyword": "dome_*"}`:                    true,
		`{"keyword": "text"}`:                      true,
		`{"keyword": ["dome", "tex"]}`:             false,
		`{"command_id": "id-[0-9]"}`:               true,
		`{"command_id": ""}`:                       false,
		`{"commander": "bridge.*"}`:                true,
		`{"commander": "other.*"}`:                 false,
		`{"internal": false}`:                      true,
		`{"internal": [true]}`:                     false,
		`{"internal": [true, false]}`:              true,
	} {
		r := done()
		if got := parse(t, text).Match(&r); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func TestAReplyMustMatchEveryField(t *testing.T) {
	f := parse(t, `{"sender": "lvm.*", "routing_key": "reply.#", "message_code": ":", "keyword": "text", "command_id": "id-1", "commander": "bridge.*", "internal": false}`)
	r := done()
	if !f.Match(&r) {
		t.Fatal("a reply that passes every field is not selected")
	}
	for field, spoil := range map[string]func(*filter.Reply){
		"sender":       func(r *filter.Reply) { r.Sender = "x" },
		"routing_key":  func(r *filter.Reply) { r.RoutingKey = "x" },
		"message_code": func(r *filter.Reply) { r.Code = "i" },
		"keyword":      func(r *filter.Reply) { r.Keywords = r.Keywords[:1] },
		"command_id":   func(r *filter.Reply) { r.CommandID = "x" },
		"commander":    func(r *filter.Reply) { r.Commander = "x" },
		"internal":     func(r *filter.Reply) { r.Internal = true },
	} {
		r := done()
		if spoil(&r); f.Match(&r) {
			t.Errorf("a reply with another %s is selected", field)
		}
	}
}

func TestAbsentValueIsTheEmptyText(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`:                        true,
		`{"sender": "*"}`:           true,
		`{"sender": "?*"}`:          false,
		`{"sender": ""}`:            true,
		`{"command_id": ["x", ""]}`: true,
		`{"routing_key": "#"}`:      true,
		`{"routing_key": "*"}`:      false,
		`{"keyword": "*"}`:          true,
		`{"keyword": "?*"}`:         false,
		`{"keyword": ""}`:           false, // there is no key that is empty
		`{"message_code": [">", "i", "d", "w", "e", ":", "f", "!"]}`: false,
	} {
		if got := parse(t, text).Match(&filter.Reply{}); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func TestACodeOfSeveralLettersMatchesNone(t *testing.T) {
	if parse(t, `{"message_code": [":", "f"]}`).Match(&filter.Reply{Code: ":f"}) {
		t.Error("the code \":f\" is selected")
	}
}

func TestCommanderMeIsLeftToTheCaller(t *testing.T) {
	f := parse(t, `{"commander": ["me", "other.*"], "message_code": ":"}`)
	if !f.Mine() || parse(t, `{"commander": "m*"}`).Mine() || parse(t, `{"commander": ["me", "*"]}`).Mine() {
		t.Fatal("only a filter that depends on the connection is one of mine")
	}
	for _, test := range []struct {
		commander, code string
		mine, want      bool
	}{
		{"bridge.x", ":", true, true},
		{"bridge.x", ":", false, false},
		{"bridge.x", "i", true, false},
		{"other.x", ":", false, true},
		{"me", ":", false, false},
	} {
		r := filter.Reply{Commander: test.commander, Code: test.code}
		if got := f.MatchMine(&r, test.mine); got != test.want {
			t.Errorf("%+v: got %v", test, got)
		}
		if got := f.Match(&r); got != f.MatchMine(&r, false) {
			t.Errorf("%+v: Match says %v", test, got)
		}
	}
}

func TestSendersAreKnownOnlyIfAllAreNames(t *testing.T) {
	for text, want := range map[string][]string{
		`{}`:                          nil,
		`{"sender": "*"}`:             nil,
		`{"sender": ["a", "b*"]}`:     nil,
		`{"sender": ["b", "a", "b"]}`: {"a", "b"},
		`{"sender": ["[*]"]}`:         {"*"},
		`{"sender": ""}`:              {""},
	} {
		got := parse(t, text).Senders()
		if len(got) != len(want) || (got == nil) != (want == nil) {
			t.Errorf("%s: got %q, want %q", text, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: got %q, want %q", text, got, want)
			}
		}
	}
}

func TestAFilterIsOnlyMineIfNoOtherCommanderPasses(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`:                                 false,
		`{"commander": "me"}`:                true,
		`{"commander": ["me", "me"]}`:        true,
		`{"commander": "me", "sender": "a"}`: true,
		`{"commander": "a"}`:                 false,
		`{"commander": "a*"}`:                false,
		`{"commander": ["me", "a"]}`:         false,
		`{"commander": ["me", "a*"]}`:        false,
		`{"commander": ["me", "a", "b*"]}`:   false,
		`{"commander": ["me", "*"]}`:         false,
	} {
		if got := parse(t, text).OnlyMine(); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestKeywordsAreNeededOnlyForAConstraint(t *testing.T) {
	for text, want := range map[string]bool{`{}`: false, `{"keyword": ["a", "*"]}`: false, `{"keyword": "a"}`: true} {
		if got := parse(t, text).NeedsKeywords(); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}
