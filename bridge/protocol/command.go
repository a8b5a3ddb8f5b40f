package protocol

import (
	"errors"
	"time"
)

// Command is a client's message in CLU's own form.
type Command struct {
	Consumer  string
	String    string
	ID        string    // "" if the bridge must choose one
	ExpiresAt time.Time // the command must not be sent after this; zero without expires_at
}

// commandForm describes the form of a command, for error messages.
const commandForm = `send {"consumer": "<actor>", "command_string": "<command>", "command_id": "<any text, or leave it out>"}`

// Command reads a message in CLU's own form that came at the given time. Unknown keys are
// ignored, as in CLU. Even with an error, it returns the command's id, if that could be read, so
// that the sender knows which command failed.
func (f Fields) Command(now time.Time) (r Command, err error) {
	if r.ID, err = f.Text("command_id"); err != nil {
		if !errors.Is(err, errAbsent) {
			return r, err
		}
	}
	if r.Consumer, err = f.Text("consumer"); err != nil {
		return r, err
	}
	if r.String, err = f.Text("command_string"); err != nil {
		return r, err
	}
	r.ExpiresAt, err = f.ExpiresAt(now)
	return r, err
}

// Rejection is the error of a well-formed command that is not sent.
type Rejection struct {
	Code    string // one of the codes below
	Message string // a sentence
	// RetryAfter is when it may be tried again, if that is known.
	RetryAfter time.Duration
	// Data is what the application that refuses it has for the client, as JSON; nil if nothing.
	Data []byte
}

func (r *Rejection) Error() string { return r.Message }

// CodeBadRequest is the code of a message that is not understood.
const CodeBadRequest = "bad_request"

// Codes of rejections.
const (
	CodeInUse     = "in_use"    // its replies could not be distinguished from another command's
	CodeFull      = "full"      // too many commands are in flight
	CodeExpired   = "expired"   // it would be sent too late
	CodeForbidden = "forbidden" // the client may not send it
	CodeLeaving   = "leaving"   // the bridge is stopping
	CodeInvalid   = "invalid"   // AMQP cannot carry it, or the broker does not permit it
	CodeRate      = "rate"      // its sender has used what it may send in this time
	CodeUndecided = "undecided" // the application that decides about it did not answer
	CodeGone      = "gone"      // the numbers that it names are of another epoch
	CodeNoRecord  = "no_record" // the audit log is required and cannot be written
)
