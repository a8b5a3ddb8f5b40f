package filter_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

func TestKeyIsTheCanonicalFormOfAFilter(t *testing.T) {
	for text, want := range map[string]string{
		``:                                     `{}`,
		`null`:                                 `{}`,
		` {} `:                                 `{}`,
		`{"sender": null}`:                     `{}`,
		`{"sender": ["a", "*"]}`:               `{}`,
		`{"sender": "**"}`:                     `{}`,
		`{"keyword": "*", "routing_key": "#"}`: `{}`,
		`{"internal": [true, false, true]}`:    `{}`,
		`{"internal": false}`:                  `{"internal":[false]}`,
		`{"sender": "a"}`:                      `{"sender":["a"]}`,
		`{"sender": [ "b" , "a", "b"]}`:        `{"sender":["a","b"]}`,
		`{"sender": "[a]b[c-c]"}`:              `{"sender":["abc"]}`,
		`{"sender": ["a*?*?**b", "a??*b"]}`:    `{"sender":["a??*b"]}`,
		`{"sender": "[*][?][[]]"}`:             `{"sender":["[*][?][[]]"]}`,
		`{"sender": "\u0061<"}`:                `{"sender":["a<"]}`,
		`{"routing_key": "a.#.*.#"}`:           `{"routing_key":["a.*.#"]}`,
		`{"routing_key": "a.[b]"}`:             `{"routing_key":["a.[b]"]}`,
		`{"message_code": ["f", ":", ">"]}`:    `{"message_code":[":",">","f"]}`,
		`{"commander": "me"}`:                  `{"commander":["me"]}`,
		`{"sender": "a", "commander": ["b"]}`:  `{"commander":["b"],"sender":["a"]}`,
	} {
		if got := parse(t, text).Key(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestFiltersThatDifferHaveDifferentKeys(t *testing.T) {
	seen := make(map[string]string)
	for _, text := range []string{
		`{}`, `{"sender": ""}`, `{"sender": "a"}`, `{"keyword": "a"}`, `{"command_id": "a"}`, `{"commander": "a"}`, `{"routing_key": "a"}`,
		`{"sender": ["a", "b"]}`, `{"sender": "a,b"}`, `{"sender": "a\",\"b"}`, `{"sender": "[*]"}`, `{"sender": "?"}`, `{"sender": "[?]"}`,
		`{"sender": "[^a]"}`, `{"sender": "[ab]"}`, `{"sender": "a*"}`, `{"internal": true}`, `{"internal": false}`, `{"message_code": "i"}`,
		`{"routing_key": "*"}`, `{"routing_key": "*.#"}`, `{"sender": "me"}`, `{"commander": "me"}`,
	} {
		key := parse(t, text).Key()
		if other, taken := seen[key]; taken {
			t.Errorf("%s and %s have the key %s", text, other, key)
		}
		seen[key] = text
	}
}

func TestTheIDOfALongKeyIsItsHash(t *testing.T) {
	for length, hashed := range map[int]bool{20: false, 200: false, 201: true, 250: true} {
		name := strings.Repeat("a", length-len(`{"sender":[""]}`))
		f := parse(t, `{"sender": "`+name+`"}`)
		want := f.Key()
		if len(want) != length {
			t.Fatalf("the key %s has %d bytes, want %d", want, len(want), length)
		}
		if hashed {
			want = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(want)))
		}
		if f.ID() != want {
			t.Errorf("a key of %d bytes has the id %s", length, f.ID())
		}
	}
}
