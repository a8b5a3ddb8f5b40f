package protocol

import (
	"encoding/json"
	"errors"
	"strings"
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

func TestOfAWrongCommandTheIDIsKnownIfItCanBe(t *testing.T) {
	for text, want := range map[string]struct{ id, words string }{
		`{"command_id": 5, "consumer": "dome", "command_string": "open"}`:                        {"", `"command_id" is a number`},
		`{"command_id": "x", "command_string": "open"}`:                                          {"x", `no "consumer"`},
		`{"command_id": "x", "consumer": "dome"}`:                                                {"x", `no "command_string"`},
		`{"command_id": "x", "consumer": "dome", "command_string": "open", "expires_at": false}`: {"x", `"expires_at" is a boolean`},
	} {
		if got, err := parseRequest([]byte(text)); err == nil || got.ID != want.id || !strings.Contains(err.Error(), want.words) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestACommandHasTheTimeUntilWhichItMayBeSent(t *testing.T) {
	got, err := parseRequest([]byte(`{"consumer": "dome", "command_string": "open", "expires_at": 1795232321}`))
	if err != nil || !got.ExpiresAt.Equal(time.Unix(1_795_232_321, 0)) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestARejectionIsItsMessage(t *testing.T) {
	if err := error(&Rejection{Code: CodeFull, Message: "Too many."}); err.Error() != "Too many." {
		t.Errorf("got %v", err)
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
