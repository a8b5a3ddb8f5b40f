package bridge

import (
	"strconv"
	"time"

	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// Bounds of the replies that are collected for an answer over HTTP.
const (
	maxHTTPReplies    = 1000
	maxHTTPReplyBytes = 1 << 20
)

// httpWaiter waits for a command's end over HTTP, and collects its first replies, up to a bound.
// It implements [hub.Waiter].
type httpWaiter struct {
	viewer func() *hub.Viewer // what the client may hear now

	// The following fields are guarded by the lock of [hub.Inflight] until the wait has ended.
	replies [][]byte // envelopes
	bytes   int
	omitted int
	end     hub.CommandEnd

	done chan struct{} // closed at the end
}

func newHTTPWaiter(viewer func() *hub.Viewer) *httpWaiter {
	return &httpWaiter{viewer: viewer, done: make(chan struct{})}
}

// Viewer implements [hub.Waiter].
func (c *httpWaiter) Viewer() *hub.Viewer { return c.viewer() }

// Gather implements [hub.Waiter].
func (c *httpWaiter) Gather(r *hub.Reply) {
	envelope := r.Frame.Payload()
	if len(c.replies) < maxHTTPReplies && c.bytes+len(envelope) <= maxHTTPReplyBytes {
		c.replies = append(c.replies, envelope)
		c.bytes += len(envelope)
	} else {
		c.omitted++
	}
}

// Stop implements [hub.Waiter].
func (c *httpWaiter) Stop() {}

// End implements [hub.Waiter].
func (c *httpWaiter) End(e hub.CommandEnd) {
	c.end = e
	close(c.done)
}

// json returns the answer once the wait has ended. Replies are written as for plain clients, so
// with --nan python they are not strictly JSON.
func (c *httpWaiter) json(e hub.CommandEnd) []byte {
	buf := append([]byte(`{"command_id":`), protocol.JSON(e.CommandID)...)
	buf = append(buf, `,"status":"`+e.Status+`"`...)
	if e.Message != "" {
		buf = append(append(buf, `,"message":`...), protocol.JSON(e.Message)...)
	}
	buf = append(buf, `,"replies":[`...)
	for i, reply := range c.replies {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, reply...)
	}
	buf = append(buf, `],"omitted":`...)
	buf = strconv.AppendInt(buf, int64(c.omitted), 10)
	buf = append(buf, `,"duration_ms":`...)
	buf = strconv.AppendFloat(buf, hub.Milliseconds(e.Duration.Round(time.Microsecond)), 'f', -1, 64)
	return append(buf, '}')
}
