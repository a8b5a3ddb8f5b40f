package actor

import "fmt"

// Ending is how a command ended, as far as its commander can know.
type Ending uint8

const (
	// EndedDone: the actor did what it was asked.
	EndedDone Ending = iota
	// EndedFailed: the actor said that it failed.
	EndedFailed
	// EndedUnroutable: there is no such actor.
	EndedUnroutable
	// EndedUnsent: the command never left.
	EndedUnsent
	// EndedUnknown: it was sent, and then nobody could follow it to its end. It may
	// still run.
	EndedUnknown
)

var endingNames = [...]string{"done", "failed", "unroutable", "unsent", "unknown"}

// String is the ending as people say it.
func (e Ending) String() string {
	if int(e) < len(endingNames) {
		return endingNames[e]
	}
	return "invalid ending"
}

// Result is what came of a command.
type Result struct {
	Ending Ending
	// Replies in order, the last one included. Of a command with more than
	// [KeptReplies], the first ones are gone.
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
	// Ending is never [EndedDone].
	Ending Ending
	// Reason is for people: the actor's own words if it failed.
	Reason string
}

func (e *CommandError) Error() string {
	return fmt.Sprintf("%s %s: %s", e.Consumer, e.CommandString, e.Reason)
}
