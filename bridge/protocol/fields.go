package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// Fields holds the fields of a client's message by name. The values alias the message.
type Fields map[string]json.RawMessage

// Names returns the names of the fields, sorted, so that of several wrong fields the same one is
// always reported.
func (f Fields) Names() []string { return slices.Sorted(maps.Keys(f)) }

// Bounds of the work for one message. Without them a mebibyte of fields takes a tenth of a
// second, in which no other client of the loop is served.
const (
	// maxFields is how many fields a message may have. No message needs more than eight, but
	// CLU ignores unknown fields.
	maxFields = 64
	// maxExplained is the length in bytes up to which a JSON error is explained. For a longer
	// message only its position is given.
	maxExplained = 4 << 10
)

// Parse parses a client's message. Of duplicate fields, the last one counts.
func Parse(payload []byte) (Fields, error) {
	if !utf8.Valid(payload) {
		return nil, errors.New("the message is not UTF-8 text; " + commandForm)
	}
	f, many := parseObject(payload)
	if many {
		return nil, fmt.Errorf("the message has more than %d fields; %s", maxFields, commandForm)
	}
	if ok, at := jsonscan.Valid(payload); !ok {
		return nil, notJSON(payload, at)
	}
	if Kind(payload) != "an object" {
		return nil, fmt.Errorf("the message is %s, not a JSON object; %s", Kind(payload), commandForm)
	}
	return f, nil
}

// notJSON returns the error for a message whose byte at an offset is not JSON.
func notJSON(payload []byte, at int) error {
	if len(payload) > maxExplained {
		return fmt.Errorf("the message is not JSON (the error is at byte %d of %d); %s", at, len(payload), commandForm)
	}
	var v any
	return fmt.Errorf("the message is not JSON (%w); %s", json.Unmarshal(payload, &v), commandForm)
}

// parseObject finds the fields of an object. many reports whether there are more than maxFields.
// The text must be a valid JSON object; otherwise the fields are undefined.
func parseObject(text []byte) (_ Fields, many bool) {
	f := Fields{}
	m := jsonscan.MembersOf(text)
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

// errAbsent is wrapped by the error of [Fields.Text] for a field that is absent or null.
var errAbsent = errors.New("absent")

// Text returns a field that must be a string. A field that is null counts as absent.
func (f Fields) Text(name string) (string, error) {
	raw, ok := f[name]
	if !ok || string(raw) == "null" {
		return "", fmt.Errorf("the message has no %q (%w); %s", name, errAbsent, commandForm)
	}
	if raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%q is %s, but must be a string; %s", name, Kind(raw), commandForm)
	}
	if halfSurrogate(raw) {
		return "", fmt.Errorf("%q has half of a surrogate pair, which no text can hold; write both halves, or the character itself", name)
	}
	return s, nil
}

// maxID is the length of the longest request id, in bytes. An id is kept until the answer, or
// for as long as its subscription.
const maxID = 255

// Bounds of undecoded strings, in bytes: longer ones are not decoded. Each character may be an
// escape.
const (
	longestEscape = len(`\u0000`)
	maxRawID      = maxID*longestEscape + 2
	maxFlag       = len("false")
)

// ID returns the client's id of its request, or nil.
func (f Fields) ID() (*string, error) {
	raw, ok := f["id"]
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	if len(raw) > maxRawID {
		return nil, fmt.Errorf(`"id" is %d bytes long; a string of at most %d comes back in the answer`, len(raw), maxID)
	}
	var id string
	if json.Unmarshal(raw, &id) != nil {
		return nil, fmt.Errorf(`"id" is %s, but must be a string; it comes back in the answer`, Kind(raw))
	}
	if halfSurrogate(raw) {
		return nil, errors.New(`"id" has half of a surrogate pair, which cannot come back in the answer; write both halves`)
	}
	if len(id) > maxID {
		return nil, fmt.Errorf(`"id" has %d bytes; at most %d come back in the answer`, len(id), maxID)
	}
	return &id, nil
}

// Optional reads a field that may be absent or null. The error says that it must be what.
func Optional[T any](f Fields, name, what string, to *T) error {
	raw, ok := f[name]
	if !ok || string(raw) == "null" {
		return nil
	}
	number, counts := any(to).(*int)
	_, isFlag := any(to).(*bool)
	switch {
	case isFlag && len(raw) > maxFlag:
		return fmt.Errorf("%q is %s, but must be %s", name, Kind(raw), what)
	case !counts && json.Unmarshal(raw, to) != nil:
		return fmt.Errorf("%q is %s, but must be %s", name, Kind(raw), what)
	case counts && readInt(raw, number) != nil:
		return fmt.Errorf("%q is %s, but must be %s", name, describe(raw), what)
	}
	return nil
}
