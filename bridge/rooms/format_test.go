package rooms

import (
	"fmt"
	"strings"
	"testing"
)

// decoded is what a source makes of a body: the path, the kind of frame and the body of each message.
func decoded(t *testing.T, source, key, body string) string {
	t.Helper()
	s, err := ParseSource(source)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := s.Decode(key, []byte(body))
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, m := range messages {
		if string(m.Whole) != body || string(m.Frame.Payload()) != string(m.Body) || m.Format != s.Format || m.Ordered || m.Throttle != 0 {
			t.Errorf("%s makes of %q %+v", source, body, m)
		}
		all = append(all, fmt.Sprintf("%s %x %s", m.Path, m.Frame[0]&15, m.Body))
	}
	return strings.Join(all, " | ")
}

type decodeCase struct{ key, body, want string }

func TestAFormatSaysWhichRoomsAMessageIsFor(t *testing.T) {
	for source, cases := range map[string][]decodeCase{
		"exchange=ht,format=hightemplar": {
			{"*", `{"rooms": [{"zoo": 1}], "data": {"b" : 1, "a":"\u00e9"}}`, `/ht/zoo=1 1 {"b" : 1, "a":"\u00e9"}`},
			{"*", `{"data": 1, "rooms": [{"zoo": 1, "animal": "penguin"}, {"zoo": 1}]}`, "/ht/animal=$penguin&zoo=1 1 1 | /ht/zoo=1 1 1"},
			{"*", `{"rooms": [{"zoo": 1}, {"zoo": 1}], "data": null}`, "/ht/zoo=1 1 null | /ht/zoo=1 1 null"},
			{"*", `{"rooms": [{}], "data": []}`, "/ht/% 1 []"},
			{"*", `{"rooms": [], "data": 1}`, ""},
			{"*", `{"rooms": [{"a": 1}, 2], "data": 1}`, ErrForm.Error()},
			{"*", `{"rooms": [null], "data": 1}`, ErrForm.Error()},
			{"*", `{"rooms": {"a": 1}, "data": 1}`, ErrForm.Error()},
			{"*", `{"rooms": [{"a": 1}]}`, ErrForm.Error()},
			{"*", `{"data": 1}`, ErrForm.Error()},
			{"*", `[{"rooms": [{"a": 1}], "data": 1}]`, ErrForm.Error()},
			{"*", `{"rooms": [{"a": 1}], "data": 1`, ErrNotJSON.Error()},
			{"*", "{\"rooms\": [{\"a\": 1}], \"data\": \"\xff\"}", ErrNotJSON.Error()},
			{"*", `{"rooms": [` + strings.Repeat("{},", maxNamed) + `{}], "data": 1}`, ErrManyRooms.Error()},
		},
		"redis=redis://h,path=/ws,prefix=app.,format=socketshark": {
			{"app.simple.t", `{"subscription": "simple.t", "data": {"a": 1}, "options": {"order": 1, "throttle": 2}}`, `/ws/simple.t 1 {"a": 1}`},
			{"app.simple.t/é%", `{"data": null, "subscription": "simple.t\/é%"}`, "/ws/simple.t%2F%C3%A9%25 1 null"},
			{"app..", `{"subscription": ".", "data": 1}`, "/ws/%2E 1 1"},
			{"app.simple.t", `{"subscription": "simple.other", "data": 1}`, ErrOtherChannel.Error()},
			{"app.simple.t", `{"subscription": "simple.t"}`, ErrForm.Error()},
			{"app.simple.t", `{"subscription": 1, "data": 1}`, ErrForm.Error()},
			{"app.simple.t", `[1]`, ErrForm.Error()},
			{"app.simple.t", `not json`, ErrNotJSON.Error()},
		},
		"redis=redis://h,path=/jj,format=jararaca,channel=jj:send,broadcast=jj:broadcast": {
			{"jj:send", "a\x00hi", "/jj/a 2 hi"},
			{"jj:send", "b,a/c,b\x00\x00h\x00i", "/jj/a%2Fc 2 \x00h\x00i | /jj/b 2 \x00h\x00i"},
			{"jj:send", "\x00hi", ""},
			{"jj:send", "a", ErrForm.Error()},
			{"jj:send", strings.Repeat(",", maxNamed) + "\x00x", ErrManyRooms.Error()},
			{"jj:broadcast", "a\x00b", "/jj 2 a\x00b"},
			{"jj:broadcast", "", "/jj 2 "},
		},
		"redis=redis://h,path=/live,prefix=p:": {
			{"p:x/y", "text", "/live/x/y 1 text"},
			{"p:/live/z", "\xff", "/live/z 2 \xff"},
		},
	} {
		for _, c := range cases {
			if got := decoded(t, source, c.key, c.body); got != c.want {
				t.Errorf("%s, %s, %.80q: %q, want %q", source, c.key, c.body, got, c.want)
			}
		}
	}
}

func TestARoomThatIsAnObjectHasOneName(t *testing.T) {
	names := map[string]string{}
	for _, same := range [][]string{
		{`{"zoo": 1}`, ` { "zoo" : 1 } `, `{"zoo": 2, "zoo": 1}`, `{"\u007aoo": 1}`},
		{`{"zoo": 1.0}`, `{"zoo": 1.00}`, `{"zoo": 10e-1}`},
		{`{"zoo": true}`}, {`{"zoo": false}`}, {`{"zoo": null}`}, {`{"zoo": "1"}`}, {`{"zoo": "true"}`}, {`{"zoo": "null"}`}, {`{"zoo": ""}`},
		{`{"zoo": [1]}`}, {`{"zoo": ["1"]}`}, {`{"zoo": [1,2]}`}, {`{"zoo": [[1],2]}`}, {`{"zoo": {"a": 1}}`}, {`{"zoo": "(a=1)"}`}, {`{"zoo": []}`}, {`{"zoo": {}}`},
		{`{"a": 1, "b": 2}`, `{"b": 2, "a": 1}`}, {`{"a": "1&b=2"}`}, {`{"a=1&b": 2}`}, {`{"a": "b c"}`}, {`{"a": "b+c"}`}, {`{"a": "é"}`, `{"a": "\u00e9"}`},
		{`{}`}, {`{"": ""}`}, {`{"a": 0}`, `{"a": -0}`}, {`{"a": 0.0}`}, {`{"a": -0.0}`}, {`{"a": 1e400}`}, {`{"a": 12345678901234567890}`}, {`{"a": 12345678901234567891}`},
		{`{"` + strings.Repeat("a", 200) + `": 1}`}, {`{"` + strings.Repeat("a", 200) + `": 2}`},
	} {
		for i, text := range same {
			name, err := DictName([]byte(text))
			if err != nil || len(name) > maxName || strings.Contains(name, "/") {
				t.Errorf("%s: %q, %v", text, name, err)
			}
			if other, taken := names[name]; taken != (i > 0) || taken && other != same[0] {
				t.Errorf("%s has the name %s, as %q", text, name, other)
			}
			names[name] = same[0]
		}
	}
	for text, want := range map[string]DropReason{`[]`: ErrForm, `1`: ErrForm, `null`: ErrForm, `{"a": "\ud800"}`: ErrForm, `{"\udc00": 1}`: ErrForm, `{`: ErrNotJSON, ``: ErrNotJSON} {
		if name, err := DictName([]byte(text)); err != want {
			t.Errorf("%s: %q, %v, want %v", text, name, err, want)
		}
	}
}

func TestEachNameIsAnotherPartOfAPath(t *testing.T) {
	parts := map[string]string{}
	for _, name := range []string{"", ".", "..", "%2E", "%", "a", "a/b", "a%2Fb", "é", "\xff", "%FF", "\x00", " ", "+", "%~", strings.Repeat("a", 129), strings.Repeat("b", 129), strings.Repeat("a", 1<<16)} {
		part := EscapeName(name)
		if path, err := CleanPath("/x/" + part); err != nil || path != "/x/"+part {
			t.Errorf("%q is %q: %v", name, part, err)
		}
		if other, taken := parts[part]; taken {
			t.Errorf("%q and %q are both %s", name, other, part)
		}
		parts[part] = name
	}
}
