package hub

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// CommandEnd is how a command ended, or why its end is no longer awaited.
type CommandEnd struct {
	CommandID   string
	Status      string
	MessageCode string        // of the last reply; "" if the waiter's client may not hear that
	Message     string        // why it failed, if the client may hear that, or why its end is no longer awaited
	Replies     int           // how many the client may hear
	Duration    time.Duration // from its registration

	heard bool // the client may hear the last reply
}

// The statuses of a [CommandEnd].
const (
	StatusDone    = "done"
	StatusFailed  = "failed"
	StatusTimeout = "timeout"
)

// The messages of a [CommandEnd] whose status is a timeout.
const (
	TimeoutMessage  = "the bridge waits no longer; the actor may go on"
	StoppingMessage = "the bridge is stopping; the actor may go on"
	evictedMessage  = "the bridge waits no longer: too many commands are in flight, and your address has the most; the actor may go on"
)

// maxReason is how many bytes of an actor's reason go into a result.
const maxReason = 1024

// endOf returns the end of a command from its last reply. If the waiter's client may not
// hear that reply, it has nothing but the status.
func endOf(c *Command, r *Reply, heard bool, now time.Time) CommandEnd {
	e := CommandEnd{CommandID: c.ID, Status: StatusDone, Replies: c.replies, Duration: now.Sub(c.began), heard: heard}
	if r.fails() {
		e.Status = StatusFailed
	}
	if heard {
		e.MessageCode = r.Code
	}
	return e
}

// timeoutOf returns the end of a command that is no longer awaited.
func timeoutOf(c *Command, now time.Time, words string) CommandEnd {
	return CommandEnd{CommandID: c.ID, Status: StatusTimeout, Message: words, Replies: c.replies, Duration: now.Sub(c.began)}
}

// reasonOf returns the actor's reason for a failure: the keyword error of the last reply, else
// text, as CLU's actors write. It decodes no other keywords, because a body may be long.
func reasonOf(body []byte) string {
	var reason, text []byte
	for m := jsonscan.MembersOf(body); ; {
		name, value, ok := m.Next()
		if !ok {
			break
		}
		switch string(name) {
		case "error":
			reason = value
		case "text":
			text = value
		}
	}
	for _, value := range [][]byte{reason, text} {
		if words := strings.TrimSpace(actor.KeywordText(value)); words != "" {
			return cutReason(words)
		}
	}
	return "The actor gave no reason."
}

func cutReason(words string) string {
	if len(words) <= maxReason {
		return words
	}
	end := maxReason
	for !utf8.RuneStart(words[end]) {
		end--
	}
	return words[:end] + "..."
}
