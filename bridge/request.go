package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// request is a client's message in CLU's own form.
type request struct {
	consumer      string
	commandString string
	commandID     string // "" when the client leaves the choice to the bridge
}

// form is how a message must look, for those who sent another.
const form = `send {"consumer": "<actor>", "command_string": "<command>", "command_id": "<any text, or leave it out>"}`

// parseRequest reads a client's message. Keys that it does not know are
// ignored, as CLU does. On an error the request still has the command id, if
// that could be read, so that the sender can tell what failed.
func parseRequest(payload []byte) (request, error) {
	var r request
	if !utf8.Valid(payload) {
		return r, errors.New("the message is not UTF-8 text; " + form)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(payload, &fields); err != nil || fields == nil {
		if json.Valid(payload) {
			return r, fmt.Errorf("the message is %s, not a JSON object; %s", kind(payload), form)
		}
		return r, fmt.Errorf("the message is not JSON (%w); %s", err, form)
	}
	var err error
	if r.commandID, err = textField(fields, "command_id"); err != nil {
		if !errors.Is(err, errAbsent) {
			return r, err
		}
	}
	if r.consumer, err = textField(fields, "consumer"); err != nil {
		return r, err
	}
	if r.commandString, err = textField(fields, "command_string"); err != nil {
		return r, err
	}
	return r, nil
}

var errAbsent = errors.New("absent")

// textField is a field that must be a string. Absent and null are the same.
func textField(fields map[string]json.RawMessage, name string) (string, error) {
	raw, ok := fields[name]
	if !ok || string(raw) == "null" {
		return "", fmt.Errorf("the message has no %q (%w); %s", name, errAbsent, form)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%q is %s, but must be a string; %s", name, kind(raw), form)
	}
	return s, nil
}

// kind names what a JSON text is.
func kind(text []byte) string {
	for _, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '{':
			return "an object"
		case '[':
			return "a list"
		case '"':
			return "a string"
		case 't', 'f':
			return "a boolean"
		case 'n':
			return "null"
		}
		break
	}
	return "a number"
}
