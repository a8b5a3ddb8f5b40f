package bridge

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
)

// The messages of the bridge's own to v1 clients. Each has an op.

// helloMessage greets a client that speaks v1, before anything else.
type helloMessage struct {
	Op           string   `json:"op"` // hello
	Session      string   `json:"session"`
	Name         string   `json:"name"`
	Version      string   `json:"version"`
	Time         string   `json:"time"` // now; the clock of a page may be another
	Epoch        string   `json:"epoch"`
	Seq          *uint64  `json:"seq"`    // of the last reply before those that follow; null while nobody knows
	Broker       string   `json:"broker"` // up, blocked, no_replies or down
	Capabilities []string `json:"capabilities"`
}

// capabilities are what a v1 client may ask of this bridge.
func (b *Bridge) capabilities() []string {
	all := []string{"ping", "subscribe", "filter", "throttle", "batch", "ordered", "snapshot", "resume", "gap", "actors", "mine", "command", "expires", "silent"}
	if len(b.cfg.Sources) > 0 {
		all = append(all, "rooms")
	}
	if b.cfg.ListClients {
		all = append(all, "clients")
	}
	return all
}

// okMessage answers a request.
type okMessage struct {
	Op string  `json:"op"` // ok
	ID *string `json:"id"`
	// CommandID is there when a command was: it is on its way.
	CommandID string `json:"command_id,omitempty"`
	// Resumed is there when since was: whether everything behind it follows.
	Resumed *bool `json:"resumed,omitempty"`
	// Reason says why not.
	Reason string `json:"reason,omitempty"`
	// Epoch and Seq are the last reply before the live ones, when Resumed is there.
	Epoch string  `json:"epoch,omitempty"`
	Seq   *uint64 `json:"seq,omitempty"`
}

// errorMessage answers a request that is wrong, or a command that failed.
type errorMessage struct {
	Op string  `json:"op"` // error
	ID *string `json:"id"`
	// CommandID is there when a command failed that has one.
	CommandID string `json:"command_id,omitempty"`
	Code      string `json:"code"`
	Message   string `json:"message"`
}

// pongFrame answers a ping with its data, as they came. epoch and seq are the last
// reply that was here: a client whose filter selects little resumes behind it, not
// behind the last reply that it had itself, which may be forgotten. seq is nil while
// nobody knows. A mebibyte of data is not read again:
//
//	{"op":"pong","id":"a","data":[1, "b"],"time":"2026-11-21T03:38:40.123456+00:00","epoch":"5f0c2a9be1d4","seq":57}
func pongFrame(id *string, data []byte, epoch string, seq *uint64) engine.Frame {
	buf := append(make([]byte, engine.HeaderRoom, 256+len(data)), `{"op":"pong","id":`...)
	buf = append(buf, jsonOf(id)...)
	if data != nil {
		buf = append(append(buf, `,"data":`...), data...)
	}
	buf = append(buf, `,"time":"`...)
	buf = time.Now().UTC().AppendFormat(buf, noticeTime) // as in the greeting
	buf = append(append(buf, `","epoch":`...), jsonOf(epoch)...)
	buf = append(append(buf, `,"seq":`...), jsonOf(seq)...)
	return engine.Must(engine.Seal(append(buf, '}')))
}

// resultMessage tells of the end of a command.
type resultMessage struct {
	Op          string  `json:"op"` // result
	ID          *string `json:"id"`
	CommandID   string  `json:"command_id"`
	Status      string  `json:"status"`                 // done, failed or timeout
	MessageCode string  `json:"message_code,omitempty"` // of the last reply
	Replies     int     `json:"replies"`
	DurationMS  float64 `json:"duration_ms"`
	Message     string  `json:"message,omitempty"`
}

// brokerMessage tells that the broker's state has changed.
type brokerMessage struct {
	Op     string `json:"op"` // broker
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// gapMessage tells, at its place among the replies, of a span of time in which
// replies may have been lost.
type gapMessage struct {
	Op      string   `json:"op"`   // gap
	From    *string  `json:"from"` // null when nobody knows
	To      string   `json:"to"`
	Seconds *float64 `json:"seconds"`
}

// droppedMessage tells a client that read too slowly what was left out.
type droppedMessage struct {
	Op    string `json:"op"` // dropped
	Count uint64 `json:"count"`
}

// frameOf makes a frame of a message.
func frameOf(message any) engine.Frame {
	var b bytes.Buffer
	b.Write(make([]byte, engine.HeaderRoom))
	writeJSON(&b, message) // the messages above hold nothing that JSON cannot
	return engine.Must(engine.Seal(b.Bytes()))
}

// jsonOf writes what cannot fail.
func jsonOf(v any) []byte {
	var b bytes.Buffer
	writeJSON(&b, v)
	return b.Bytes()
}

// writeJSON writes what cannot fail, with < and > as they are.
func writeJSON(b *bytes.Buffer, v any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("bridge: " + err.Error())
	}
	b.Truncate(b.Len() - len("\n"))
}

// noticeTime is how moments are written, to the microsecond.
const noticeTime = "2006-01-02T15:04:05.000000-07:00"

func gapFrame(gap amqpx.Gap) engine.Frame {
	m := gapMessage{Op: "gap", To: gap.To.UTC().Format(noticeTime)}
	if !gap.From.IsZero() {
		from, seconds := gap.From.UTC().Format(noticeTime), gap.To.Sub(gap.From).Round(time.Microsecond).Seconds()
		m.From, m.Seconds = &from, &seconds
	}
	return frameOf(m)
}

// brokerWord is the broker's state in one word.
func brokerWord(s amqpx.State) string {
	switch {
	case !s.Up:
		return "down"
	case s.Blocked != "":
		return "blocked"
	case s.QueueDown != "":
		return "no_replies"
	}
	return "up"
}

func brokerFrame(s amqpx.State) engine.Frame {
	return frameOf(brokerMessage{Op: "broker", State: brokerWord(s), Reason: brokerReason(s)})
}

// brokerReason is why the broker is not up, or "".
func brokerReason(s amqpx.State) string {
	switch {
	case !s.Up && s.Err != nil:
		return s.Err.Error()
	case s.Blocked != "":
		return s.Blocked
	}
	return s.QueueDown
}
