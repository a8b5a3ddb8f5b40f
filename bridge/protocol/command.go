package protocol

import (
	"errors"
	"time"
)

// Command is a client's message in CLU's own form.
type Command struct {
	Consumer  string
	String    string
	ID        string    // "" when the client leaves the choice to the bridge
	ExpiresAt time.Time // not sent after this; zero without expires_at
}

// Form is how a message must look, for those who sent another.
const Form = `send {"consumer": "<actor>", "command_string": "<command>", "command_id": "<any text, or leave it out>"}`

// Command reads a message in CLU's own form. Keys that it does not know are
// ignored, as CLU does. On an error the request still has the command id, if
// that could be read, so that the sender can tell what failed.
func (f Fields) Command(now time.Time) (r Command, err error) {
	if r.ID, err = f.Text("command_id"); err != nil {
		if !errors.Is(err, ErrAbsent) {
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

// Rejection is why a command is not sent: it is the error of a command that is well
// formed.
type Rejection struct {
	Code    string // one of those below
	Message string // a sentence
}

func (r *Rejection) Error() string { return r.Message }

// Codes of rejections.
const (
	CodeInUse     = "in_use"    // its replies could not be told from those of another one
	CodeFull      = "full"      // too many are under way
	CodeExpired   = "expired"   // it would be late
	CodeForbidden = "forbidden" // its sender may not send it
	CodeLeaving   = "leaving"   // the bridge is stopping
)
