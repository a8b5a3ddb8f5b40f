package bridge

import (
	"fmt"
	"strings"
	"testing"
)

// A mebibyte of them took a loop a tenth of a second.
func TestAMessageOfVeryManyFieldsIsRefusedWithoutReadingThem(t *testing.T) {
	for fields, wrong := range map[int]bool{0: false, 1: false, maxFields: false, maxFields + 1: true, 96_000: true} {
		f, err := parseMessage([]byte(manyFields(fields)))
		if wrong != (err != nil) || !wrong && len(f) != fields {
			t.Errorf("%d fields: %d are read, %v", fields, len(f), err)
		}
	}
	payload := []byte(manyFields(96_000))
	if n := testing.AllocsPerRun(5, func() { _, _ = parseMessage(payload) }); n > 100 {
		t.Errorf("it allocates %v times", n)
	}
}

func TestTheLastOfDuplicateFieldsCounts(t *testing.T) {
	f, err := parseMessage([]byte(`{"a": 1, "b": 2, "\u0061": 3}`))
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
		if _, err := parseMessage([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}

// What stands in a field of a request is as long as a message may be.
func TestLongListsInARequestAreNotParsed(t *testing.T) {
	ones := "[" + strings.Repeat("1,", 500_000) + "1]"
	texts := "[" + strings.Repeat(`"a",`, 250_000) + `"a"]`
	s := newStage(t, Source{Exchange: "x", Path: "/x"})
	l := s.connect()
	for request, want := range map[string]string{
		`{"op": "subscribe", "filter": {"sender": ` + texts + `}}`:       `has 250001 values, but may have 256`,
		`{"op": "subscribe", "filter": ` + manyFields(90_000) + `}`:      `has an unknown field "0"`,
		`{"op": "subscribe", "since": ` + manyFields(90_000) + `}`:       `has more than 64 fields`,
		`{"op": "subscribe", "rooms": ` + texts + `}`:                    `names 250001 rooms; name 1 to 64`,
		`{"op": "subscribe", "rooms": ` + ones + `}`:                     `"rooms" has a number in it`,
		`{"op": "subscribe", "rooms": "/x"}`:                             `"rooms" is a string`,
		`{"op": "subscribe", "filter": {"sender": ["a", ` + ones + `]}}`: `is not a string`,
	} {
		if got := s.refused(l, request); !strings.Contains(got, want) {
			t.Errorf("%.60s: %s", request, got)
		}
	}
}
