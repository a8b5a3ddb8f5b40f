package actor

import "fmt"

// Status is how a command ended, as far as its commander can know.
type Status uint8

const (
	// StatusDone: the actor ended the command successfully.
	StatusDone Status = iota
	// StatusFailed: the actor ended the command as failed.
	StatusFailed
	// StatusUnroutable: the broker returned the command because there is no such actor.
	StatusUnroutable
	// StatusUnsent: the command was not sent.
	StatusUnsent
	// StatusUnknown: the command was sent, but its end was not seen. It may still
	// run.
	StatusUnknown
)

var statusNames = [...]string{"done", "failed", "unroutable", "unsent", "unknown"}

// String returns the status as a word: done, failed, unroutable, unsent or unknown.
func (e Status) String() string {
	if int(e) < len(statusNames) {
		return statusNames[e]
	}
	return "invalid status"
}

// Result is the end of a command, with its replies.
type Result struct {
	Status Status
	// Replies are in order and include the last one. If there were more than
	// [MaxBufferedReplies], the first ones are missing.
	Replies []Reply
	// Missed is how many are missing.
	Missed int
}

// Last returns the last reply, or the zero Reply if there was none.
func (r Result) Last() Reply {
	if len(r.Replies) == 0 {
		return Reply{}
	}
	return r.Replies[len(r.Replies)-1]
}

// CommandError is the error of a command that did not end as done.
type CommandError struct {
	Consumer, CommandString, CommandID string
	// Status is never [StatusDone].
	Status Status
	// Reason is meant for people: the actor's own words if it failed.
	Reason string
}

func (e *CommandError) Error() string {
	return fmt.Sprintf("%s %s: %s", e.Consumer, e.CommandString, e.Reason)
}
