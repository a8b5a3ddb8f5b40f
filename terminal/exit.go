package terminal

import (
	"context"
	"errors"
	"fmt"

	"github.com/clu-ws/clu-ws/wsclient"
)

// The codes with which a subcommand exits.
const (
	ExitDone        = 0
	ExitFailed      = 1   // the actor says so
	ExitUsage       = 2   // the command line is wrong
	ExitNotSent     = 3   // no actor has the request
	ExitNobody      = 4   // no actor listens to this consumer
	ExitUnknown     = 5   // the command may have been executed: ask for its status
	ExitTime        = 6   // the time ran out, or a value is too old
	ExitHere        = 7   // this machine is at fault: the output or a file cannot be written
	ExitInterrupted = 130 // by Ctrl-C
)

// ExitError is why a subcommand failed, and the code with which the program exits.
type ExitError struct {
	Code int
	Err  error
}

// Error returns the text without control characters: it may have what an actor says, and is for the terminal.
func (e *ExitError) Error() string { return visible(e.Err.Error()) }
func (e *ExitError) Unwrap() error { return e.Err }

// exit returns an [ExitError].
func exit(code int, format string, args ...any) error {
	return &ExitError{code, fmt.Errorf(format, args...)}
}

// Usage returns an error about the command line.
func Usage(format string, args ...any) error { return exit(ExitUsage, format, args...) }

// ExitCode returns the code with which the program exits after an error.
func ExitCode(err error) int {
	var e *ExitError
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &e):
		return e.Code
	}
	return ExitFailed
}

// BridgeError is a bridge's answer that refuses a request.
type BridgeError struct{ Code, Message string }

func (e *BridgeError) Error() string { return e.Message }

// orInterrupted returns the error of a request with its exit code: [ExitInterrupted] if the user ended it.
func orInterrupted(ctx context.Context, err error) error {
	var e *ExitError
	switch {
	case err == nil || errors.As(err, &e):
		return err
	case errors.Is(ctx.Err(), context.Canceled):
		return exit(ExitInterrupted, "interrupted")
	}
	return &ExitError{ExitNotSent, err}
}

// WithCode returns the error of a subcommand with its exit code, if it has none yet: [ExitFailed] is an actor's alone.
func WithCode(ctx context.Context, err error) error {
	var e *ExitError
	var bridge *BridgeError
	var refused *wsclient.RefusedError
	switch {
	case err == nil || errors.As(err, &e) || errors.Is(err, ErrTold):
		return err
	case errors.Is(err, context.Canceled) && ctx.Err() != nil, errors.As(err, &bridge), errors.As(err, &refused):
		return orInterrupted(ctx, err)
	}
	return &ExitError{ExitHere, err}
}
