package wsclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// Reply is a reply of an actor. What a reply lacks is "".
type Reply struct {
	Sender      string
	Code        string // of the message: one of > i d w e : f !
	CommandID   string // "" on a broadcast
	CommanderID string
	Internal    bool // not meant for people
	RoutingKey  string
	MessageID   string
	Timestamp   string          // when it was sent, as the bridge writes it
	Body        json.RawMessage // with all digits, as the actor wrote them

	Epoch string // the numbering of Seq
	Seq   uint64 // its number at the bridge; 0 from CLU's own server
	// Heard is when the bridge heard it, by the bridge's clock: ages count from here, see [Client.Age]. It is zero if
	// that is not known.
	Heard time.Time
	// Late reports whether it is from while this client was not connected.
	Late bool
	// Envelope is the whole message, as it came.
	Envelope json.RawMessage
}

// Ends reports whether the reply ends its command.
func (r *Reply) Ends() bool { return r.Code == ":" || r.Fails() }

// Fails reports whether the reply says that its command has failed.
func (r *Reply) Fails() bool { return r.Code == "f" || r.Code == "!" }

// Keywords returns the members of the body, or nil if the body is no object.
func (r *Reply) Keywords() map[string]json.RawMessage {
	if len(r.Body) == 0 || r.Body[0] != '{' {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(r.Body, &members) != nil {
		return nil
	}
	return members
}

// Text returns what the reply says to people: its "error" or "text", or a body that is a text.
func (r *Reply) Text() string {
	if len(r.Body) > 0 && r.Body[0] == '"' {
		return textOf(r.Body)
	}
	members := r.Keywords()
	for _, name := range []string{"error", "text"} {
		if value, ok := members[name]; ok {
			return textOf(value)
		}
	}
	return ""
}

// textOf returns a JSON text as it is, and any other value as JSON.
func textOf(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

// ParseReply reads an envelope, which the reply keeps. It is for programs that have stored some.
func ParseReply(envelope []byte) (*Reply, error) {
	if ok, at := jsonscan.Valid(envelope); !ok {
		return nil, fmt.Errorf("not a reply: it is no JSON at byte %d", at)
	}
	r, err := readReply(envelope)
	if err != nil {
		return nil, fmt.Errorf("not a reply: %w", err)
	}
	return r, nil
}

// readReply is ParseReply of valid JSON. A reply comes as often as 20,000 times a second, so the text is scanned once, and
// what a program may want of the body is left for later.
func readReply(envelope []byte) (*Reply, error) {
	r := &Reply{Envelope: envelope}
	var headers json.RawMessage
	members := jsonscan.MembersOf(envelope)
	for key, value, ok := members.Next(); ok; key, value, ok = members.Next() {
		var err error
		switch string(key) {
		case "headers":
			headers = value
		case "message_id":
			r.MessageID, err = optionalText(value)
		case "routing_key":
			r.RoutingKey, err = optionalText(value)
		case "timestamp":
			r.Timestamp, err = optionalText(value)
		case "body":
			r.Body = value
		case "seq":
			r.Seq, err = optionalNumber(value)
		case "epoch":
			r.Epoch, err = optionalText(value)
		case "heard": // µs since 1970
			var heard uint64
			if heard, err = optionalNumber(value); heard > 0 && heard <= math.MaxInt64 {
				r.Heard = time.UnixMicro(int64(heard))
			}
		}
		if err != nil {
			return nil, fmt.Errorf("its %s: %w", key, err)
		}
	}
	if len(headers) == 0 || headers[0] != '{' {
		return nil, errors.New("it has no headers")
	}
	r.readHeaders(headers)
	return r, nil
}

// readHeaders reads the headers. Only texts count as the names of a reply, as for the bridge.
func (r *Reply) readHeaders(headers json.RawMessage) {
	members := jsonscan.MembersOf(headers)
	for key, value, ok := members.Next(); ok; key, value, ok = members.Next() {
		switch string(key) {
		case "sender":
			r.Sender, _ = text(value)
		case "message_code":
			r.Code, _ = text(value)
		case "command_id":
			r.CommandID, _ = text(value)
		case "commander_id":
			r.CommanderID, _ = text(value)
		case "internal":
			r.Internal = string(value) == "true"
		}
	}
}

// text decodes a JSON text, and reports whether it is one. Most have no escapes.
func text(value json.RawMessage) (string, bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	inner := value[1 : len(value)-1]
	for _, b := range inner {
		if b == '\\' || b >= utf8.RuneSelf {
			var decoded string
			err := json.Unmarshal(value, &decoded)
			return decoded, err == nil
		}
	}
	return string(inner), true
}

// optionalText decodes a text, or null, which counts as "".
func optionalText(value json.RawMessage) (string, error) {
	if decoded, ok := text(value); ok || string(value) == "null" {
		return decoded, nil
	}
	return "", fmt.Errorf("%.40s is no text", value)
}

// optionalNumber decodes a whole number, or null, which counts as 0.
func optionalNumber(value json.RawMessage) (uint64, error) {
	if string(value) == "null" {
		return 0, nil
	}
	n, err := strconv.ParseUint(string(value), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%.40s is no whole number", value)
	}
	return n, nil
}
