package actor

import "fmt"

// Status is how a command ended, as far as its commander can know.
type Status uint8

const (
	// StatusDone: the actor did what it was asked.
	StatusDone Status = iota
	// StatusFailed: the actor said that it failed.
	StatusFailed
	// StatusUnroutable: there is no such actor.
	StatusUnroutable
	// StatusUnsent: the command never left.
	StatusUnsent
	// StatusUnknown: it was sent, and then nobody could follow it to its end. It may
	// still run.
	StatusUnknown
)

var endingNames = [...]string{"done", "failed", "unroutable", "unsent", "unknown"}

// String is the ending as people say it.
func (e Status) String() string {
	if int(e) < len(endingNames) {
		return endingNames[e]
	}
	return "invalid ending"
}

// Result is what came of a command.
type Result struct {
	Status Status
	// Replies in order, the last one included. Of a command with more than
	// [MaxBufferedReplies], the first ones are gone.
	Replies []Reply
	// Missed is how many are gone.
	Missed int
}

// Last is the last reply, or the zero Reply when there was none.
func (r Result) Last() Reply {
	if len(r.Replies) == 0 {
		return Reply{}
	}
	return r.Replies[len(r.Replies)-1]
}

// CommandError is a command that did not end well.
type CommandError struct {
	Consumer, CommandString, CommandID string
	// Ending is never [StatusDone].
	Status Status
	// Reason is for people: the actor's own words if it failed.
	Reason string
}

func (e *CommandError) Error() string {
	return fmt.Sprintf("%s %s: %s", e.Consumer, e.CommandString, e.Reason)
}
