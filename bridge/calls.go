package bridge

import (
	"net/http"
	"sync"
)

// Bounds of the commands whose end somebody awaits over HTTP.
const (
	maxCalls       = 256
	maxCallReplies = 1000
	maxCallBytes   = 1 << 20
)

// calls are the commands whose end is awaited over HTTP.
type calls struct {
	// mu guards the following field, and the calls that are in it.
	mu   sync.Mutex
	open map[string]*call // by command id
}

// call gathers the replies to a command: the first ones, as far as there is room.
type call struct {
	replies [][]byte // envelopes
	bytes   int
	omitted int
	status  string        // done or failed; timeout until then
	done    chan struct{} // closed with the last reply
}

func newCalls() *calls { return &calls{open: map[string]*call{}} }

// add awaits a command that is about to be sent.
func (cs *calls) add(commandID string) (*call, *apiError) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.open[commandID] != nil {
		return nil, &apiError{Status: http.StatusConflict, Error: errOwnTwice.Error(), CommandID: commandID}
	}
	if len(cs.open) >= maxCalls {
		return nil, badAPI(http.StatusServiceUnavailable, "the command was not sent: the ends of %d commands are awaited already; try again later, or without wait", maxCalls)
	}
	c := &call{status: "timeout", done: make(chan struct{})}
	cs.open[commandID] = c
	return c, nil
}

// forget ends the waiting of one call. Afterwards nobody changes it. When it has
// ended, its id may be another one's by now.
func (cs *calls) forget(commandID string, c *call) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.open[commandID] == c {
		delete(cs.open, commandID)
	}
}

// take gathers a reply, if somebody waits for it.
func (cs *calls) take(r *reply) {
	if r.CommandID == "" {
		return
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c := cs.open[r.CommandID]
	if c == nil {
		return
	}
	envelope := r.frame.Payload()
	if len(c.replies) < maxCallReplies && c.bytes+len(envelope) <= maxCallBytes {
		c.replies = append(c.replies, envelope)
		c.bytes += len(envelope)
	} else {
		c.omitted++
	}
	if !r.ends() {
		return
	}
	c.status = "done"
	if r.fails() {
		c.status = "failed"
	}
	delete(cs.open, r.CommandID)
	close(c.done)
}
