package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/object"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// Bounds of a loop's work for one message. Without them a mebibyte of fields takes a
// tenth of a second, in which no other client of the loop is served.
const (
	// maxFields is how many fields a message may have. No message needs more than
	// eight; CLU ignores unknown fields.
	maxFields = 64
	// maxExplained is the length in bytes up to which a JSON error is explained; for a
	// longer message only its position is given.
	maxExplained = 4 << 10
)

// parseMessage reads the fields of a client's message. The last of duplicate fields
// counts.
func parseMessage(payload []byte) (fields, error) {
	if !utf8.Valid(payload) {
		return nil, errors.New("the message is not UTF-8 text; " + form)
	}
	f, many := fieldsOf(payload)
	if many {
		return nil, fmt.Errorf("the message has more than %d fields; %s", maxFields, form)
	}
	if ok, at := jsonscan.Valid(payload); !ok {
		return nil, notJSON(payload, at)
	}
	if kind(payload) != "an object" {
		return nil, fmt.Errorf("the message is %s, not a JSON object; %s", kind(payload), form)
	}
	return f, nil
}

// notJSON returns the error for a message that is not JSON from a byte on.
func notJSON(payload []byte, at int) error {
	if len(payload) > maxExplained {
		return fmt.Errorf("the message is not JSON (the error is at byte %d of %d); %s", at, len(payload), form)
	}
	var v any
	return fmt.Errorf("the message is not JSON (%w); %s", json.Unmarshal(payload, &v), form)
}

// fieldsOf finds the fields of an object, unless there are too many. The result for
// anything but a valid JSON object is undefined.
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
