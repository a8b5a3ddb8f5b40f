package bridge

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge/object"
)

// commandEnd is how a command ended, or why it is not waited for any longer.
type commandEnd struct {
	commandID string
	status    string
	code      string // of the last reply; "" without one
	message   string // why it failed, or is not waited for
	replies   int
	took      time.Duration
}

// How commands end for those who wait for that.
const (
	statusDone    = "done"
	statusFailed  = "failed"
	statusTimeout = "timeout"
)

// Why a command's end is not waited for any longer.
const (
	waitsNoLonger = "the bridge waits no longer; the actor may go on"
	stopsWaiting  = "the bridge is stopping; the actor may go on"
	gaveWayWords  = "the bridge waits no longer, because too many commands are under way, and your address has most of them; the actor may go on"
)

// maxReason is how much of an actor's reason a result has, in bytes.
const maxReason = 1024

// endingOf is a command's end by its last reply.
func endingOf(c *command, r *reply, now time.Time) commandEnd {
	e := commandEnd{commandID: c.id, status: statusDone, code: r.Code, replies: c.replies, took: now.Sub(c.began)}
	if r.fails() {
		e.status = statusFailed
	}
	return e
}

// timeoutOf is the end of the waiting for a command's end.
func timeoutOf(c *command, now time.Time, words string) commandEnd {
	return commandEnd{commandID: c.id, status: statusTimeout, message: words, replies: c.replies, took: now.Sub(c.began)}
}

// reasonOf is why a command failed, in its actor's words: what the last reply has as
// error, else as text, as CLU's actors have. It looks for no more than that: a body may
// be long.
func reasonOf(body []byte) string {
	var reason, text []byte
	for m := object.Of(body); ; {
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
		if words := strings.TrimSpace(actor.Words(value)); words != "" {
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
