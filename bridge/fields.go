package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/object"
)

// Bounds of what a loop does for one message. A mebibyte of fields took it a tenth of
// a second, in which none of its clients was served.
const (
	// maxFields is how many fields a message may have. None needs more than eight; CLU
	// ignores those that it does not know.
	maxFields = 64
	// maxExplained is the longest message whose mistake is told in words, in bytes: of
	// a longer one its place is.
	maxExplained = 4 << 10
)

// parseMessage reads the fields of a client's message. Of a field that is there twice
// the last one counts.
func parseMessage(payload []byte) (fields, error) {
	if !utf8.Valid(payload) {
		return nil, errors.New("the message is not UTF-8 text; " + form)
	}
	f, many := fieldsOf(payload)
	if many {
		return nil, fmt.Errorf("the message has more than %d fields, and none needs more than eight; %s", maxFields, form)
	}
	if ok, at := object.Valid(payload); !ok {
		return nil, notJSON(payload, at)
	}
	if kind(payload) != "an object" {
		return nil, fmt.Errorf("the message is %s, not a JSON object; %s", kind(payload), form)
	}
	return f, nil
}

// notJSON says what is wrong at a byte of a message.
func notJSON(payload []byte, at int) error {
	if len(payload) > maxExplained {
		return fmt.Errorf("the message is not JSON (the mistake is at byte %d of %d); %s", at, len(payload), form)
	}
	var v any
	return fmt.Errorf("the message is not JSON (%w); %s", json.Unmarshal(payload, &v), form)
}

// fieldsOf finds the fields of an object, unless they are too many. Of what is no
// object, or no JSON, it makes anything.
func fieldsOf(text []byte) (_ fields, many bool) {
	f := fields{}
	m := object.Of(text)
	for n := 0; ; n++ {
		name, value, ok := m.Next()
		switch {
		case !ok:
			return f, false
		case n == maxFields:
			return nil, true
		}
		f[string(name)] = value
	}
}
