package wsclient

import (
	"encoding/json"
	"fmt"
	"time"
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

// wireReply is an envelope as it travels.
type wireReply struct {
	Headers *struct {
		CommandID   any `json:"command_id"`
		CommanderID any `json:"commander_id"`
		Internal    any `json:"internal"`
		Code        any `json:"message_code"`
		Sender      any `json:"sender"`
	} `json:"headers"`
	MessageID  *string         `json:"message_id"`
	RoutingKey string          `json:"routing_key"`
	Timestamp  *string         `json:"timestamp"`
	Body       json.RawMessage `json:"body"`
	Seq        uint64          `json:"seq"`
	Epoch      string          `json:"epoch"`
	Heard      int64           `json:"heard"` // µs since 1970
}

// ParseReply reads an envelope, which the reply keeps. It is for programs that have stored some.
func ParseReply(envelope []byte) (*Reply, error) {
	var w wireReply
	if err := json.Unmarshal(envelope, &w); err != nil {
		return nil, fmt.Errorf("not a reply: %w", err)
	}
	if w.Headers == nil {
		return nil, fmt.Errorf("not a reply: it has no headers")
	}
	r := &Reply{RoutingKey: w.RoutingKey, Body: w.Body, Epoch: w.Epoch, Seq: w.Seq, Envelope: envelope}
	// Only texts count as the names of a reply, as for the bridge.
	r.Sender, _ = w.Headers.Sender.(string)
	r.Code, _ = w.Headers.Code.(string)
	r.CommandID, _ = w.Headers.CommandID.(string)
	r.CommanderID, _ = w.Headers.CommanderID.(string)
	r.Internal, _ = w.Headers.Internal.(bool)
	if w.MessageID != nil {
		r.MessageID = *w.MessageID
	}
	if w.Timestamp != nil {
		r.Timestamp = *w.Timestamp
	}
	if w.Heard > 0 {
		r.Heard = time.UnixMicro(w.Heard)
	}
	return r, nil
}
