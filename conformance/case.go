package conformance

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
)

//go:embed v1.json
var v1 []byte

// Message is a JSON object. Numbers in it are [json.Number].
type Message = map[string]any

// Case is one conversation between a client and a bridge.
type Case struct {
	Name  string   `json:"name"`
	Only  string   `json:"only"`  // "client" or "bridge" if the other side cannot run it
	Why   string   `json:"why"`   // why not
	Needs []string `json:"needs"` // what a client has to have for it, as a driver says in `without`
	Steps []Step   `json:"steps"`
}

// Step is one step of a case. Exactly one field is set.
type Step struct {
	Connect     *Connect   `json:"connect,omitempty"`
	Subscribe   *Subscribe `json:"subscribe,omitempty"`
	Unsubscribe string     `json:"unsubscribe,omitempty"`
	Command     *Command   `json:"command,omitempty"`
	Reply       *Reply     `json:"reply,omitempty"`
	Away        *Reply     `json:"away,omitempty"`
	Resumed     *Resumed   `json:"resumed,omitempty"`
	Restart     *Restart   `json:"restart,omitempty"`
	Ask         *Ask       `json:"ask,omitempty"`
	Bridge      Message    `json:"bridge,omitempty"`
	Client      Message    `json:"client,omitempty"`
	Call        Message    `json:"call,omitempty"`
	Sees        Message    `json:"sees,omitempty"`
	Post        *Post      `json:"post,omitempty"`
	Cut         *Cut       `json:"cut,omitempty"`
	Fault       *Fault     `json:"fault,omitempty"`
	Confirm     string     `json:"confirm,omitempty"` // the broker has this command
	Again       int64      `json:"again,omitempty"`   // a reply comes a second time
}

// Connect is a connection that begins.
type Connect struct {
	Since   *int64  `json:"since,omitempty"`    // the client resumes after this reply
	Fresh   bool    `json:"fresh,omitempty"`    // the client must not resume
	Token   string  `json:"token,omitempty"`    // the credential that it shows
	TokenBy string  `json:"token_by,omitempty"` // "message": in the first message
	Refuse  int     `json:"refuse,omitempty"`   // the HTTP status of the answer to the upgrade
	Hello   Message `json:"hello,omitempty"`    // members of the hello
}

// Subscribe is a subscription, and how the bridge answers.
type Subscribe struct {
	As       string         `json:"as"`
	Filter   Message        `json:"filter"`
	Snapshot map[string]any `json:"snapshot,omitempty"` // actor.keyword -> value, in the answer
	Throttle int            `json:"throttle_ms,omitempty"`
	Ordered  bool           `json:"ordered,omitempty"`
	Notices  []string       `json:"notices,omitempty"`
	Rooms    []string       `json:"rooms,omitempty"`
	Refused  string         `json:"refused,omitempty"`
}

// Command is a command, and what becomes of it before an actor has it.
type Command struct {
	As        string `json:"as"`
	Consumer  string `json:"consumer"`
	String    string `json:"command_string"`
	ID        string `json:"command_id,omitempty"`
	Timeout   int    `json:"timeout_ms,omitempty"`
	Expires   int    `json:"expires_ms,omitempty"`
	ExpiresAt int64  `json:"expires_at,omitempty"` // as sent to the bridge under test
	Refused   string `json:"refused,omitempty"`    // the code of the error
	Message   string `json:"message,omitempty"`    // its text
	State     string `json:"state,omitempty"`      // what the client then shows
	Late      bool   `json:"late,omitempty"`       // the broker confirms it after the replies
}

// Fault is an error of the bridge about a command that it has taken before.
type Fault struct {
	To   string `json:"to"`
	Code string `json:"code"`
}

// Reply is a reply of an actor.
type Reply struct {
	Sender   string          `json:"sender"`
	Code     string          `json:"code"`
	Body     json.RawMessage `json:"body"`
	To       string          `json:"to,omitempty"`       // the command that it answers
	On       []string        `json:"on,omitempty"`       // the subscriptions that show it
	Internal bool            `json:"internal,omitempty"` // not meant for people
	Hidden   bool            `json:"hidden,omitempty"`   // the client may not hear it
}

// Post is a message for a room.
type Post struct {
	Room string `json:"room"`
	Body any    `json:"body"`
}

// Resumed is what a client shows after it has resumed.
type Resumed struct {
	On   string `json:"on"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
}

// Restart is a bridge that numbers anew, or that keeps its numbers and has forgotten its replies.
type Restart struct {
	Forgets bool   `json:"forgets,omitempty"`
	Reason  string `json:"reason"`
}

// Ask is a request of the client, and the answer.
type Ask struct {
	As     string  `json:"as"`
	What   string  `json:"what"`
	Args   Message `json:"args,omitempty"`
	Answer Message `json:"answer,omitempty"`
	Shown  any     `json:"shown,omitempty"` // what the client shows of it, if that is not the same
	Error  string  `json:"error,omitempty"`
	Real   Message `json:"real,omitempty"` // what the bridge under test answers, if that is not the same
}

// Cut is the end of a connection: by the network, or by a close frame.
type Cut struct {
	TCP    bool   `json:"tcp,omitempty"`
	Code   int    `json:"code,omitempty"` // 1005: a close frame without a code
	Reason string `json:"reason,omitempty"`
}

// Cases returns all cases.
func Cases() ([]Case, error) {
	var file struct {
		Cases []Case `json:"cases"`
	}
	d := json.NewDecoder(bytes.NewReader(v1))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("v1.json: %w", err)
	}
	return file.Cases, nil
}

// Parse reads a message, which is one object and nothing else, with all digits of its numbers.
func Parse(text []byte) (m Message, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF || m == nil {
		return nil, fmt.Errorf("a line must have one object, but is %.200q", text)
	}
	return m, nil
}

// format writes a value as JSON.
func format(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
