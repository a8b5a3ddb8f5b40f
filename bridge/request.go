package bridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// request is a client's message in CLU's own form.
type request struct {
	consumer      string
	commandString string
	commandID     string    // "" when the client leaves the choice to the bridge
	expires       time.Time // not sent after this; zero without expires_at
}

// form is how a message must look, for those who sent another.
const form = `send {"consumer": "<actor>", "command_string": "<command>", "command_id": "<any text, or leave it out>"}`

// fields are those of a client's message, and parts of it.
type fields map[string]json.RawMessage

// request reads a message in CLU's own form. Keys that it does not know are
// ignored, as CLU does. On an error the request still has the command id, if
// that could be read, so that the sender can tell what failed.
func (f fields) request() (r request, err error) {
	if r.commandID, err = f.text("command_id"); err != nil {
		if !errors.Is(err, errAbsent) {
			return r, err
		}
	}
	if r.consumer, err = f.text("consumer"); err != nil {
		return r, err
	}
	if r.commandString, err = f.text("command_string"); err != nil {
		return r, err
	}
	r.expires, err = f.expiresAt(time.Now())
	return r, err
}

var errAbsent = errors.New("absent")

// text is a field that must be a string. Absent and null are the same.
func (f fields) text(name string) (string, error) {
	raw, ok := f[name]
	if !ok || string(raw) == "null" {
		return "", fmt.Errorf("the message has no %q (%w); %s", name, errAbsent, form)
	}
	if raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%q is %s, but must be a string; %s", name, kind(raw), form)
	}
	if halfSurrogate(raw) {
		return "", fmt.Errorf("%q has half of a surrogate pair, which no text can hold; write both halves, or the character itself", name)
	}
	return s, nil
}

// halfSurrogate reports whether a JSON string has an escaped surrogate without its
// other half. JSON allows it (RFC 8259, 8.2), UTF-8 cannot encode it, and encoding/json
// makes it U+FFFD, so that two different ids become equal.
func halfSurrogate(text []byte) bool {
	high := false
	for i := 0; i < len(text); i++ {
		low := false
		if text[i] == '\\' {
			if i++; text[i] == 'u' {
				code, err := strconv.ParseUint(string(text[i+1:i+5]), 16, 32)
				i += 4
				if low = err == nil && code >= 0xdc00 && code < 0xe000; low != high {
					return true
				}
				if err == nil && code >= 0xd800 && code < 0xdc00 {
					high = true
					continue
				}
			}
		}
		if high && !low {
			return true
		}
		high = false
	}
	return high
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
