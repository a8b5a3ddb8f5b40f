package model

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// addRecorded adds what actors have answered to a fuzz target's corpus.
func addRecorded(f *testing.F, add func(got answer)) {
	for _, file := range []string{"actor-model.json", "actor-bare.json"} {
		for command := range recordedReplies(f, file) {
			add(recordedAnswer(f, file, command))
		}
	}
}

// writable fails the test if a client could not be told of a value.
func writable(t *testing.T, v any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil || !utf8.Valid(raw) {
		t.Errorf("%+v cannot be written: %v", v, err)
	}
}

func FuzzParseCommandModel(f *testing.F) {
	addRecorded(f, func(got answer) { f.Add([]byte(got.model)) })
	f.Fuzz(func(t *testing.T, raw []byte) {
		commands, _, err := ParseCommandModel(raw)
		if err == nil {
			writable(t, commands)
		}
	})
}

func FuzzParseSchema(f *testing.F) {
	addRecorded(f, func(got answer) { f.Add([]byte(got.schema)) })
	f.Add([]byte(`{"$defs": {"a": {"$ref": "#/$defs/a"}}, "properties": {"b": {"oneOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		keywords, _, err := ParseSchema(raw)
		if err != nil {
			return
		}
		writable(t, keywords)
		for name := range keywords {
			writable(t, WithSite(keywords, []string{name, "0", "x"}, "V", "d"))
		}
	})
}

func FuzzParseHelp(f *testing.F) {
	addRecorded(f, func(got answer) { f.Add(strings.Join(got.help, "\n"), "move") })
	f.Fuzz(func(t *testing.T, help, path string) {
		lines := strings.Split(help, "\n")
		commands, _ := parseHelp(lines)
		writable(t, commands)
		if len(strings.Fields(path)) > 0 {
			c, _ := parseCommandHelp(path, lines)
			writable(t, c)
		}
	})
}

// A whole conversation with an actor that answers each question with the same replies ends.
func FuzzConversation(f *testing.F) {
	for command, replies := range recordedReplies(f, "actor-model.json") {
		for _, r := range replies {
			f.Add(r.Headers.Code, []byte(r.Body))
		}
		_ = command
	}
	f.Fuzz(func(t *testing.T, code string, body []byte) {
		if ok, _ := jsonscan.Valid(body); !ok { // as the bridge has checked
			return
		}
		a := &asking{}
		for n := 0; a.question() != ""; n++ {
			if n > 2*maxHelpAsked+10 {
				t.Fatal("it does not end")
			}
			var got answer
			got.read(body, maxAnswer)
			got.done = code == ":"
			a.answered(got)
		}
		m := a.result()
		writable(t, m.Commands)
		writable(t, m.Keywords)
		writable(t, m.Problem)
	})
}
