package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A mebibyte of them took a loop a tenth of a second.
func TestAMessageOfVeryManyFieldsIsRefusedWithoutReadingThem(t *testing.T) {
	for fields, wrong := range map[int]bool{0: false, 1: false, maxFields: false, maxFields + 1: true, 96_000: true} {
		f, err := Parse([]byte(testkit.ObjectWithFields(fields)))
		if wrong != (err != nil) || !wrong && len(f) != fields {
			t.Errorf("%d fields: %d are read, %v", fields, len(f), err)
		}
	}
	payload := []byte(testkit.ObjectWithFields(96_000))
	if n := testing.AllocsPerRun(5, func() { _, _ = Parse(payload) }); n > 100 {
		t.Errorf("it allocates %v times", n)
	}
}

func TestTheLastOfDuplicateFieldsCounts(t *testing.T) {
	f, err := Parse([]byte(`{"a": 1, "b": 2, "\u0061": 3}`))
	if err != nil || string(f["a"]) != "3" || len(f) != 2 {
		t.Errorf("%s, %v", f, err)
	}
}

func TestAJSONErrorIsExplainedOrLocated(t *testing.T) {
	long := `{"a": "` + strings.Repeat("x", maxExplained) + `", "b": }`
	longest := `{"a": }` + strings.Repeat(" ", maxExplained-len(`{"a": }`))
	for text, want := range map[string]string{
		`{"a": }`: "invalid character '}' looking for beginning of value",
		longest:   "invalid character '}' looking for beginning of value",
		long:      fmt.Sprintf("the error is at byte %d of %d", len(long)-1, len(long)),
		`{"a": 1`: "unexpected end of JSON input",
		`[1]`:     "the message is a list, not a JSON object",
		"\xff":    "not UTF-8",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}

func TestATextFieldIsDecodedOrExplained(t *testing.T) {
	for raw, want := range map[string]string{
		`"a b"`: "a b", `""`: "", `"\u0061\n"`: "a\n", `"\ud83d\ude00"`: "😀",
	} {
		if got, err := (Fields{"consumer": json.RawMessage(raw)}).Text("consumer"); err != nil || got != want {
			t.Errorf("%s is read as %q, %v", raw, got, err)
		}
	}
	for raw, want := range map[string]string{
		`5`:        `"consumer" is a number, but must be a string; send {`,
		`["a"]`:    `"consumer" is a list, but must be a string`,
		`"\ud800"`: `"consumer" has half of a surrogate pair`,
		`null`:     `the message has no "consumer" (absent); send {`,
	} {
		if got, err := (Fields{"consumer": json.RawMessage(raw)}).Text("consumer"); err == nil || got != "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v", raw, got, err)
		}
	}
	if _, err := (Fields{}).Text("consumer"); !errors.Is(err, errAbsent) {
		t.Errorf("without the field: %v", err)
	}
}

func TestARequestsIDIsBounded(t *testing.T) {
	longest := strings.Repeat("a", maxID)
	for raw, want := range map[string]string{
		`"a"`: "a", `""`: "", `"` + longest + `"`: longest, `"` + strings.Repeat(`\u0061`, maxID) + `"`: longest,
	} {
		if got, err := (Fields{"id": json.RawMessage(raw)}).ID(); err != nil || got == nil || *got != want {
			t.Errorf("%.20s: %v, %v", raw, got, err)
		}
	}
	for raw, want := range map[string]string{
		`5`:                  `"id" is a number, but must be a string; it comes back in the answer`,
		`"\ud800"`:           `"id" has half of a surrogate pair`,
		`"` + longest + `a"`: `"id" has 256 bytes; at most 255 come back in the answer`,
		`"` + strings.Repeat(`\u0061`, maxID) + `a"`: `"id" is 1533 bytes long; a string of at most 255 comes back in the answer`,
	} {
		if got, err := (Fields{"id": json.RawMessage(raw)}).ID(); err == nil || got != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %v, %v", raw, got, err)
		}
	}
	for _, f := range []Fields{nil, {"id": json.RawMessage("null")}} {
		if got, err := f.ID(); got != nil || err != nil {
			t.Errorf("%s: %v, %v", f, got, err)
		}
	}
}

func TestAnOptionalFieldKeepsItsDefaultOrIsOfItsType(t *testing.T) {
	for _, raw := range []string{"", "null"} {
		f := Fields{}
		if raw != "" {
			f["wait"] = json.RawMessage(raw)
		}
		flag, number := true, 7
		if Optional(f, "wait", "true or false", &flag) != nil || Optional(f, "wait", "a whole number", &number) != nil || !flag || number != 7 {
			t.Errorf("%s became %v and %d", raw, flag, number)
		}
	}
	var flag bool
	var number int
	var text string
	f := Fields{"yes": json.RawMessage("true"), "no": json.RawMessage("false"), "many": json.RawMessage("6e1"), "text": json.RawMessage(`"a"`)}
	if Optional(f, "yes", "", &flag) != nil || !flag || Optional(f, "no", "", &flag) != nil || flag {
		t.Error("a boolean is not read")
	}
	if Optional(f, "many", "", &number) != nil || number != 60 || Optional(f, "text", "", &text) != nil || text != "a" {
		t.Errorf("the number is %d, the text %q", number, text)
	}
	f = Fields{"long": json.RawMessage(`"false"`), "word": json.RawMessage(`"no"`), "half": json.RawMessage("1.5"), "list": json.RawMessage("[1]")}
	for want, err := range map[string]error{
		`"long" is a string, but must be true or false`: Optional(f, "long", "true or false", &flag),
		`"word" is a string, but must be true or false`: Optional(f, "word", "true or false", &flag),
		`"half" is 1.5, but must be a whole number`:     Optional(f, "half", "a whole number", &number),
		`"list" is a list, but must be a whole number`:  Optional(f, "list", "a whole number", &number),
		`"list" is a list, but must be a string`:        Optional(f, "list", "a string", &text),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestTheNamesOfFieldsAreSorted(t *testing.T) {
	f := Fields{"b": nil, "c": nil, "a": nil}
	if got := f.Names(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("got %q", got)
	}
}
