package protocol

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
	"unicode/utf8"
)

func parseRequest(payload []byte) (Command, error) {
	f, err := Parse(payload)
	if err != nil {
		return Command{}, err
	}
	return f.Command(time.Unix(1_795_232_320, 0))
}

func TestACommandIsReadWhateverElseTheMessageHolds(t *testing.T) {
	for text, want := range map[string]Command{
		`{"consumer":"dome","command_string":"open"}`:                                 {Consumer: "dome", String: "open", ID: ""},
		` {"command_id": null, "consumer": "dome", "command_string": ""} `:            {Consumer: "dome", String: "", ID: ""},
		`{"consumer":"dome","command_string":"a \"b\" ü","command_id":"x","y":[1]}`:   {Consumer: "dome", String: `a "b" ü`, ID: "x"},
		`{"consumer":"first","consumer":"last","command_string":"s","command_id":""}`: {Consumer: "last", String: "s", ID: ""},
	} {
		if got, err := parseRequest([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestKeysAreComparedExactly(t *testing.T) {
	if _, err := parseRequest([]byte(`{"Consumer":"dome","COMMAND_STRING":"open"}`)); !errors.Is(err, errAbsent) {
		t.Errorf("the error is %v", err)
	}
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"consumer":"dome","command_string":"open","command_id":"x"}`))
	f.Add([]byte(`{"consumer":5}`))
	f.Add([]byte(`["consumer"]`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := parseRequest(payload)
		if err != nil {
			if !utf8.ValidString(err.Error()) {
				t.Fatalf("the error is not UTF-8: %q", err)
			}
			return
		}
		var object map[string]any
		if json.Unmarshal(payload, &object) != nil {
			t.Fatal("accepted what is no JSON object")
		}
		if object["consumer"] != r.Consumer || object["command_string"] != r.String {
			t.Fatalf("read %+v", r)
		}
	})
}
