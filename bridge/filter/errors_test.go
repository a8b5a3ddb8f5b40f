package filter_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// manyWords returns n different words, and many a list of them.
func manyWords(n int) []string {
	words := make([]string, n)
	for i := range words {
		words[i] = strings.Repeat("a", i%200) + strings.Repeat("b", i/200)
	}
	return words
}

func many(n int) string {
	text, _ := json.Marshal(manyWords(n))
	return string(text)
}

// manyGlobs is a list of n different patterns.
func manyGlobs(n int) string {
	globs := make([]string, n)
	for i := range globs {
		globs[i] = fmt.Sprintf("a%d*", i)
	}
	text, _ := json.Marshal(globs)
	return string(text)
}

func TestParseExplainsErrors(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                              `the filter is not a JSON object: write one such as {"sender":`,
		`{`:                               `the filter is not a JSON object: write one such as {"sender":`,
		`{"senders": "a"}`:                `the filter has an unknown field "senders": write some of sender, routing_key, message_code, keyword, command_id, commander, internal`,
		`{"Sender": "a"}`:                 `the filter has an unknown field "Sender"`,
		`{"sender": 5}`:                   `the value 5 of the filter field "sender" is not a string: write one text in quotes, or a list of them`,
		`{"sender": ["a", null]}`:         `the value null of the filter field "sender" is not a string`,
		`{"keyword": {"a": 1}}`:           `the value {"a": 1} of the filter field "keyword" is not a string`,
		`{"keyword": [["a"]]}`:            `the value ["a"] of the filter field "keyword" is not a string`,
		`{"sender": []}`:                  `the filter field "sender" is an empty list, which selects nothing: name a value, or leave the field out`,
		`{"internal": []}`:                `the filter field "internal" is an empty list`,
		`{"internal": "true"}`:            `the value "true" of the filter field "internal" is not a boolean: write true or false, without quotes`,
		`{"internal": 0}`:                 `the value 0 of the filter field "internal" is not a boolean`,
		`{"message_code": ["i", "done"]}`: `the value "done" of the filter field "message_code" is not a message code: write some of > i d w e : f !, or leave the field out`,
		`{"message_code": ""}`:            `the value "" of the filter field "message_code" is not a message code`,
		`{"message_code": "*"}`:           `the value "*" of the filter field "message_code" is not a message code`,
		`{"sender": "a[b"}`:               `the value "a[b" of the filter field "sender" is not a pattern: its [ has no ]; for the character [ itself write [[]`,
		`{"sender": ["*", "[]"]}`:         `the value "[]" of the filter field "sender" is not a pattern: [] names no character`,
		`{"commander": "a[^]b"}`:          `[^] names no character`,
		`{"command_id": "[z-a]"}`:         `the range z-a runs backwards; write a-z`,
		`{"routing_key": "reply.lvm*"}`:   `the value "reply.lvm*" of the filter field "routing_key" is not a pattern: * and # must be whole words between dots, but "lvm*" mixes them with other characters; write reply.* or reply.#`,
		`{"keyword": ` + manyGlobs(64) + `, "sender": "a*"}`: `the filter has 65 patterns, but may have 64: name what you want, or ask for more`,
		`{"keyword": ` + many(257) + `}`:                     `the filter field "keyword" has 257 values, but may have 256`,
		`{"command_id": "` + strings.Repeat("é", 128) + `"}`: `the value "` + strings.Repeat("é", 60) + `..." of the filter field "command_id" is 256 bytes long, but may have 255`,
	} {
		f, err := filter.Parse(json.RawMessage(text))
		if err == nil || f != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestBoundsMayBeReached(t *testing.T) {
	f := parse(t, `{"keyword": `+many(256)+`, "command_id": "`+strings.Repeat("a", 255)+`"}`)
	for i, word := range manyWords(256) {
		if !f.Match(&filter.Reply{CommandID: strings.Repeat("a", 255), Keywords: []string{word}}) {
			t.Errorf("value %d is lost", i)
		}
	}
	if n := parse(t, `{"keyword": `+manyGlobs(63)+`, "sender": "a*"}`).Globs(); n != 64 {
		t.Errorf("it has %d patterns", n)
	}
}

func TestFromQueryExplainsErrors(t *testing.T) {
	for text, want := range map[string]string{
		"sender=":                               `the value "" of the filter field "sender" is empty`,
		"sender=a,":                             `the value "" of the filter field "sender" is empty`,
		"routing_key=reply.":                    `the value "reply." of the filter field "routing_key" ends with a dot: in a URL write %23 for #, or the browser keeps it`,
		"internal=yes":                          `the value "yes" of the filter field "internal" is neither true nor false: write one of them`,
		"message_code=i&sender=%ff":             `the value "\xff" of the filter field "sender" is not UTF-8 text`,
		"keyword=a" + strings.Repeat(",a", 256): `the filter field "keyword" has 257 values, but may have 256`,
		"keyword=[a,b]":                         `the value "[a" of the filter field "keyword" is not a pattern`,
	} {
		query, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		f, found, err := filter.FromQuery(query)
		if err == nil || f != nil || !found || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
}
