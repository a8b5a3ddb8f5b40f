package wsclient

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// What can be wrong, for [errors.Is].
var (
	// ErrNotConnected is the error of what needs a connection while there is none. Nothing waits for the next one.
	ErrNotConnected = errors.New("not connected to the bridge")
	// ErrConnectionLost is the error of a question whose connection broke before the answer. Asking again is harmless.
	ErrConnectionLost = errors.New("the connection was lost before the answer")
	// ErrClosed is the error of everything after [Client.Close], and of a subscription after its Close.
	ErrClosed = errors.New("closed")
	// ErrUnsupported is the error of what this server does not have, such as history on CLU's own server.
	ErrUnsupported = errors.New("this server has no such thing")

	// ErrRejected is the error of a command that was not sent: no actor has it.
	ErrRejected = errors.New("the command was not sent")
	// ErrFailed is the error of a command whose actor reported failure, or that has no actor.
	ErrFailed = errors.New("the command failed")
	// ErrNobody is the error of a command to a consumer to which no actor listens. It is also an ErrFailed.
	ErrNobody = errors.New("no actor listens to this consumer")
	// ErrUnknown is the error of a command, or of another change, whose end is not known: it may still happen.
	ErrUnknown = errors.New("it is not known how it ended")
	// ErrTimeout is the error of a command whose time ran out. It is also an ErrUnknown.
	ErrTimeout = errors.New("the time ran out")
)

// codeReturned is the code of a command to nobody, codeTimeout that of one whose time ran out.
const (
	codeReturned = "returned"
	codeTimeout  = "timeout"
	codeUnknown  = "unknown"
)

// notSent has the bridge's error codes for what was not sent to any actor. After any other code but "returned", an
// actor may have it.
var notSent = []string{"bad_request", "forbidden", "in_use", "away", "blocked", "full", "expired", "gone", "invalid",
	"leaving", "rate", "undecided", "no_record", "unauthorized"}

// wasNotSent reports whether the bridge's error code says that nothing was sent.
func wasNotSent(code string) bool { return slices.Contains(notSent, code) }

// CommandError is why a command did not succeed.
type CommandError struct {
	State   CommandState // Rejected, Failed or Unknown
	Code    string       // the bridge's error code, if its error ended the command; see docs/protocol.md
	Message string       // a sentence
	Reply   *Reply       // the reply that ended it; nil if none did
	Command *Command
}

func (e *CommandError) Error() string { return e.Message }

// Is matches ErrRejected, ErrFailed, ErrNobody, ErrUnknown and ErrTimeout.
func (e *CommandError) Is(target error) bool {
	switch target {
	case ErrRejected:
		return e.State == Rejected
	case ErrFailed:
		return e.State == Failed
	case ErrNobody:
		return e.State == Failed && e.Code == codeReturned
	case ErrUnknown:
		return e.State == Unknown
	case ErrTimeout:
		return e.State == Unknown && e.Code == codeTimeout
	default:
		return false
	}
}

// RequestError is the bridge's refusal of a request: a subscription, a question, a message to a room.
type RequestError struct {
	Op      string
	Code    string // see docs/protocol.md
	Message string
}

func (e *RequestError) Error() string { return e.Message }

// Is matches ErrUnknown if the bridge cannot say whether the change was made.
func (e *RequestError) Is(target error) bool {
	return target == ErrUnknown && (e.Code == codeUnknown || e.Code == "refused")
}

// RefusedError says that the server does not let this client in. No further attempt to connect follows.
type RefusedError struct {
	Status int // of HTTP, or the code of the close frame (3000 and more)
	Reason string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the bridge refuses the connection (%d): %s", e.Status, e.Reason)
}

// retryError is a failed attempt to connect after which the server asks to wait.
type retryError struct {
	error
	after time.Duration
}

func (e retryError) Unwrap() error { return e.error }
