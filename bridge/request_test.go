package bridge

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"
)

func parseRequest(payload []byte) (request, error) {
	f, err := parseMessage(payload)
	if err != nil {
		return request{}, err
	}
	return f.request()
}

func TestACommandIsReadWhateverElseTheMessageHolds(t *testing.T) {
	for text, want := range map[string]request{
		`{"consumer":"dome","command_string":"open"}`:                                 {consumer: "dome", commandString: "open", commandID: ""},
		` {"command_id": null, "consumer": "dome", "command_string": ""} `:            {consumer: "dome", commandString: "", commandID: ""},
		`{"consumer":"dome","command_string":"a \"b\" ü","command_id":"x","y":[1]}`:   {consumer: "dome", commandString: `a "b" ü`, commandID: "x"},
		`{"consumer":"first","consumer":"last","command_string":"s","command_id":""}`: {consumer: "last", commandString: "s", commandID: ""},
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
		if object["consumer"] != r.consumer || object["command_string"] != r.commandString {
			t.Fatalf("read %+v", r)
		}
	})
}
