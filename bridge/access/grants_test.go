package access

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// parse parses grants that are valid.
func parse(t testing.TB, text string) *Grants {
	t.Helper()
	g, err := ParseGrants(json.RawMessage(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return g
}

func TestGrantsThatSayTheSameHaveTheSameKey(t *testing.T) {
	a := parse(t, `{"hear": [{"sender": "dome"}, {"sender": ["b", "a"]}], "rooms": ["/b", "/a"], "limits": {"connections": 5},
		"command": [{"consumer": "dome", "verb": ["open", "close"]}, {"consumer": ["mount"]}], "own": true, "admin": false}`)
	b := parse(t, `{"own": true, "command": [{"consumer": ["mount", "mount"]}, {"verb": ["close", "open"], "consumer": ["dome"]}],
		"limits": {"connections": 5.0}, "rooms": ["/a", "/b", "/a"], "hear": [{"sender": ["a", "b"]}, {"sender": ["dome"]}]}`)
	if a.Key() != b.Key() {
		t.Errorf("%s\n%s", a.Key(), b.Key())
	}
	again := parse(t, string(a.JSON()))
	if again.Key() != a.Key() {
		t.Errorf("%s is read as %s", a.JSON(), again.Key())
	}
}

func TestWhatIsNotGrantedIsNotHeard(t *testing.T) {
	dome := &filter.Reply{Sender: "dome"}
	for text, want := range map[string]bool{
		`{}`:                              false,
		`{"hear": []}`:                    false,
		`{"own": true}`:                   false,
		`{"hear": [{}]}`:                  true,
		`{"hear": [{"sender": "mount"}]}`: false,
		`{"hear": [{"sender": "mount"}, {"sender": "dome"}]}`: true,
		`{"hear": [{}], "hide": [{"sender": "d*"}]}`:          false,
	} {
		if got := parse(t, text).View.Match(dome); got != want {
			t.Errorf("%s: heard is %t", text, got)
		}
	}
	if parse(t, `{"hear": [{}]}`).View != nil {
		t.Error("everything is not the nil view")
	}
}

func TestWrongGrantsAreRefusedWithTheirPlace(t *testing.T) {
	for text, place := range map[string]string{
		``:                             "",
		`{`:                            "",
		`[]`:                           "",
		`null`:                         "",
		"{\"rooms\": [\"/\xff\"]}":     "",
		`{"hears": []}`:                "hears",
		`{"hear": [], "hear": [{}]}`:   "hear",
		`{"hear": null}`:               "hear",
		`{"hear": {}}`:                 "hear",
		`{"hear": [null]}`:             "hear[0]",
		`{"hear": [{}, "dome"]}`:       "hear[1]",
		`{"hear": [{"sender": null}]}`: "hear[0].sender",
		`{"hear": [{"sender": []}]}`:   "hear[0]",
		`{"hear": [{"sender": 5}]}`:    "hear[0]",
		`{"hear": [{"who": "a"}]}`:     "hear[0]",
		`{"hear": [{"sender": "a", "sender": "b"}]}`: "hear[0].sender",
		`{"hide": [{}, {"commander": ["a", "me"]}]}`: "hide[1]",
		`{"hear": [{"sender": "${user}"}]}`:          "hear[0].sender",
		`{"hear": [{"sender": "[${name}]"}]}`:        "hear[0].sender",
		`{"hear": [{"sender": "\u005b${name}]"}]}`:   "hear[0].sender",
		`{"own": "yes"}`:                       "own",
		`{"own": null}`:                        "own",
		`{"rooms": [5]}`:                       "rooms[0]",
		`{"rooms": ["a"]}`:                     "rooms[0]",
		`{"rooms": ["/a", "/a/**/b"]}`:         "rooms[1]",
		`{"rooms": ["/a*"]}`:                   "rooms[0]",
		`{"rooms": ["/a=b*"]}`:                 "rooms[0]",
		`{"rooms": ["/*=*"]}`:                  "rooms[0]",
		`{"rooms": ["/a//b"]}`:                 "rooms[0]",
		`{"rooms": ["/a/"]}`:                   "rooms[0]",
		`{"rooms": ["/a/../b"]}`:               "rooms[0]",
		`{"rooms": ["/a\\b"]}`:                 "rooms[0]",
		`{"rooms": ["/${id}"]}`:                "rooms[0]",
		`{"publish": ["**"]}`:                  "publish[0]",
		`{"command": {}}`:                      "command",
		`{"command": [{"consumer": []}]}`:      "command[0].consumer",
		`{"command": [{"consumer": null}]}`:    "command[0].consumer",
		`{"command": [{"actor": "a"}]}`:        "command[0].actor",
		`{"command": [{}, {"consumer": "["}]}`: "command[1].consumer",
		`{"forbid": [{"verb": "shut down"}]}`:  "forbid[0].verb",
		`{"forbid": [{"verb": ""}]}`:           "forbid[0].verb",
		`{"forbid": [{"verb": "${name}"}]}`:    "forbid[0].verb",
		`{"forbid": [{"verb": "--"}]}`:         "forbid[0].verb",
		`{"limits": {"connections": 1.5}}`:     "limits.connections",
		`{"limits": {"connections": 1e300}}`:   "limits.connections",
		`{"limits": {"command-rate": 0}}`:      "limits.command-rate",
		`{"limits": {"command-rate": -1}}`:     "limits.command-rate",
		`{"limits": {"command-rate": "2"}}`:    "limits.command-rate",
		`{"limits": {"message-rate": null}}`:   "limits.message-rate",
		`{"limits": {"rate": 1}}`:              "limits.rate",
	} {
		_, err := ParseGrants(json.RawMessage(text))
		var at *PathError
		if !errors.As(err, &at) || at.Path != place {
			t.Errorf("%s: the error is %v, want one at %q", text, err, place)
		}
	}
}

func TestANameReplacesItsMarkEverywhere(t *testing.T) {
	g := parse(t, `{"hear": [{"commander": "*.${name}"}], "hide": [{"sender": "${name}"}], "rooms": ["/users/${name}/**", "/user=${name}"],
		"publish": ["/users/${name}"], "command": [{"consumer": "cam-${name}"}], "forbid": [{"consumer": "${name}"}]}`)
	if !g.Named() {
		t.Fatal("the grants do not depend on the name")
	}
	bound, err := g.For(`josé"<&`)
	if err != nil {
		t.Fatal(err)
	}
	want := parse(t, `{"hear": [{"commander": "*.josé\"<&"}], "hide": [{"sender": "josé\"<&"}], "rooms": ["/users/josé\"<&/**", "/user=josé\"<&"],
		"publish": ["/users/josé\"<&"], "command": [{"consumer": "cam-josé\"<&"}], "forbid": [{"consumer": "josé\"<&"}]}`)
	if bound.Key() != want.Key() || bound.Named() {
		t.Errorf("the grants are\n%s, want\n%s", bound.Key(), want.Key())
	}
	if g.Key() == bound.Key() || !g.Named() {
		t.Error("the grants of the role have changed")
	}
	if plain := parse(t, `{"rooms": ["/a"]}`); plain.Named() {
		t.Error("grants without the mark depend on the name")
	} else if same, err := plain.For("a/b"); same != plain || err != nil {
		t.Errorf("grants without the mark become %v, %v", same, err)
	}
}

func TestANameThatCouldWidenAPatternIsRefused(t *testing.T) {
	g := parse(t, `{"rooms": ["/users/${name}/**"]}`)
	for _, name := range []string{"", ".", "..", "me", "a/b", "/", "*", "**", "a*", "?", "[a]", "]", "#", `a\b`, "a\nb", "\x7f", "\xff", "${name}", strings.Repeat("x", 129)} {
		if _, err := g.For(name); err == nil {
			t.Errorf("the name %q is accepted", name)
		}
	}
	for _, name := range []string{"a", "a.b", "...", "a@b.org", "auth0|x", "x y", "customer=1", "host$", "%2f", "mes"} {
		if _, err := g.For(name); err != nil {
			t.Errorf("the name %q is refused: %v", name, err)
		}
	}
}
