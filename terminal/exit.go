package terminal

import (
	"context"
	"errors"
	"fmt"
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
	ExitInterrupted = 130 // by Ctrl-C
)

// ExitError is why a subcommand failed, and the code with which the program exits.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string { return e.Err.Error() }
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
