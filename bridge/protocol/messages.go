package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// Hello greets a client that speaks v1, before anything else.
type Hello struct {
	Op           string   `json:"op"` // hello
	Session      string   `json:"session"`
	Name         string   `json:"name"`
	Version      string   `json:"version"`
	Time         string   `json:"time"` // by the bridge's clock, for a page whose clock differs
	Epoch        string   `json:"epoch"`
	Seq          *uint64  `json:"seq"`    // of the last reply before the ones that follow; null while it is unknown
	Broker       string   `json:"broker"` // up, blocked, no_replies or down
	Capabilities []string `json:"capabilities"`
	// Access is who the client is, and what it may do; nil without access control.
	Access *AccessInfo `json:"access,omitempty"`
}

// OK answers a request.
type OK struct {
	Op string  `json:"op"` // ok
	ID *string `json:"id"`
	// CommandID is the command's id, if the request is a command, which is about to be sent.
	CommandID string `json:"command_id,omitempty"`
	// Data is what the application that was asked has for the client.
	Data json.RawMessage `json:"data,omitempty"`
	// Resumed reports whether everything since the given reply follows, if the request has since.
	Resumed *bool `json:"resumed,omitempty"`
	// Reason is why Resumed is false.
	Reason string `json:"reason,omitempty"`
	// Oldest is the number of the oldest reply that is kept, if Resumed is false; nil if there is none.
	Oldest *uint64 `json:"oldest,omitempty"`
	// Epoch and Seq identify the last reply before the live ones, if Resumed is set.
	Epoch string  `json:"epoch,omitempty"`
	Seq   *uint64 `json:"seq,omitempty"`
	// Access is who the client is, and what it may do, in the answer to auth.
	Access *AccessInfo `json:"access,omitempty"`
}

// Error answers a request that is wrong, or a command that failed.
type Error struct {
	Op string  `json:"op"` // error
	ID *string `json:"id"`
	// CommandID is the id of the failed command, if it has one.
	CommandID string `json:"command_id,omitempty"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	// Data is what the application that refuses it has for the client.
	Data json.RawMessage `json:"data,omitempty"`
}

// Pong answers a ping with its data, unchanged. epoch and seq identify the last reply that
// came: a client whose filter selects little resumes from this one rather than from the last
// reply that it got, which may no longer be kept. seq is nil while it is unknown. Pong does
// not parse the data, which may be a mebibyte:
//
//	{"op":"pong","id":"a","data":[1, "b"],"time":"2026-11-21T03:38:40.123456+00:00","epoch":"5f0c2a9be1d4","seq":57}
func Pong(id *string, data []byte, now time.Time, epoch string, seq *uint64) engine.Frame {
	buf := append(make([]byte, engine.MaxHeaderSize, 256+len(data)), `{"op":"pong","id":`...)
	buf = append(buf, JSON(id)...)
	if data != nil {
		buf = append(append(buf, `,"data":`...), data...)
	}
	buf = append(buf, `,"time":"`...)
	buf = now.UTC().AppendFormat(buf, TimeFormat) // as in the hello
	buf = append(append(buf, `","epoch":`...), JSON(epoch)...)
	buf = append(append(buf, `,"seq":`...), JSON(seq)...)
	return engine.Must(engine.NewText(append(buf, '}')))
}

// Result reports the end of a command.
type Result struct {
	Op          string  `json:"op"` // result
	ID          *string `json:"id"`
	CommandID   string  `json:"command_id"`
	Status      string  `json:"status"`                 // done, failed or timeout
	MessageCode string  `json:"message_code,omitempty"` // of the last reply
	Replies     int     `json:"replies"`
	DurationMS  float64 `json:"duration_ms"`
	Message     string  `json:"message,omitempty"`
}

// Unsubscribed reports that the bridge has ended a subscription, because its client may no longer
// have it.
type Unsubscribed struct {
	Op   string  `json:"op"` // unsubscribed
	ID   *string `json:"id"` // the subscription's; null if it has none
	Code string  `json:"code"`
}

// Broker reports that the broker's state has changed.
type Broker struct {
	Op     string `json:"op"` // broker
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// Gap reports, at its place among the replies, a span of time in which replies may have been
// lost.
type Gap struct {
	Op      string   `json:"op"`   // gap
	From    *string  `json:"from"` // null if it is unknown
	To      string   `json:"to"`
	Seconds *float64 `json:"seconds"`
}

// Actor reports that an actor's rhythm has changed, or whether somebody takes its commands.
type Actor struct {
	Op         string `json:"op"` // actor
	Name       string `json:"name"`
	IntervalMS *int64 `json:"interval_ms"` // how often it usually broadcasts; null if that is not known
	Consumer   *bool  `json:"consumer"`    // null if it is not known
}

// CommandState reports that a command has begun, was answered or has ended.
type CommandState struct {
	Op      string      `json:"op"` // command_state
	Command CommandInfo `json:"command"`
}

// CommandInfo is a command that runs or has ended, whoever sent it.
type CommandInfo struct {
	CommandID     string  `json:"command_id"`
	Consumer      string  `json:"consumer"`
	CommandString *string `json:"command_string"` // null if no client of this bridge sent it
	Cut           bool    `json:"cut,omitempty"`  // CommandString is its beginning only
	Commander     string  `json:"commander"`
	Client        *string `json:"client"` // the sender's user, or else its id; null if it is not known
	State         string  `json:"state"`  // sent, running, done, failed or unknown
	Began         *string `json:"began"`
	Ended         *string `json:"ended"`
	MessageCode   *string `json:"message_code"` // of the last reply
	Message       *string `json:"message"`      // why it failed, or its state is unknown
	Replies       *int    `json:"replies"`      // null for a client that may not hear all of them
	Seq           *uint64 `json:"seq"`          // of the last reply
}

// Dropped reports how many frames were left out for a client that read too slowly.
type Dropped struct {
	Op    string `json:"op"` // dropped
	Count uint64 `json:"count"`
}

// Encode returns the frame of one of the messages above.
func Encode(message any) engine.Frame {
	var b bytes.Buffer
	b.Write(make([]byte, engine.MaxHeaderSize))
	writeJSON(&b, message) // the messages hold nothing that JSON cannot express
	return engine.Must(engine.NewText(b.Bytes()))
}

// JSON returns a value as JSON, with < and > unescaped. It panics if JSON cannot express the
// value.
func JSON(v any) []byte {
	var b bytes.Buffer
	writeJSON(&b, v)
	return b.Bytes()
}

func writeJSON(b *bytes.Buffer, v any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("protocol: " + err.Error())
	}
	b.Truncate(b.Len() - len("\n"))
}

// TimeFormat is the format of times, to the microsecond.
const TimeFormat = "2006-01-02T15:04:05.000000-07:00"

// EncodeGap returns the frame of a [Gap]. from is zero if the beginning is unknown.
func EncodeGap(from, to time.Time) engine.Frame { return Encode(GapOf(from, to)) }

// GapOf returns the gap between two times. from is zero if the beginning is unknown.
func GapOf(from, to time.Time) Gap {
	m := Gap{Op: "gap", To: to.UTC().Format(TimeFormat)}
	if !from.IsZero() {
		start, seconds := from.UTC().Format(TimeFormat), to.Sub(from).Round(time.Microsecond).Seconds()
		m.From, m.Seconds = &start, &seconds
	}
	return m
}

// BadRequest returns the frame that answers a request that is wrong, or that is refused if the
// error is a [Rejection].
func BadRequest(id *string, err error) engine.Frame {
	m := Error{Op: "error", ID: id, Code: CodeBadRequest, Message: err.Error()}
	if no, ok := errors.AsType[*Rejection](err); ok {
		m.Code, m.Data = no.Code, no.Data
	}
	return Encode(m)
}
