package protocol

import (
	"fmt"
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
	for text, want := range map[string]string{
		`{"a": }`: "invalid character '}' looking for beginning of value",
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

// What stands in a field of a request is as long as a message may be.
