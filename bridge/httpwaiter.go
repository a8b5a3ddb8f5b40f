package bridge

import (
	"strconv"
	"time"

	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// Bounds of what a command that is awaited over HTTP collects.
const (
	maxHTTPReplies    = 1000
	maxHTTPReplyBytes = 1 << 20
)

// httpWaiter waits for a command's end over HTTP and collects the first replies, up to a
// bound.
type httpWaiter struct {
	// The following fields are guarded by inflight.mu until the call has ended or is
	// detached.
	replies [][]byte // envelopes
	bytes   int
	omitted int
	ending  hub.CommandEnd

	done chan struct{} // closed with the end
}

func newHTTPWaiter() *httpWaiter { return &httpWaiter{done: make(chan struct{})} }

func (c *httpWaiter) Gather(r *hub.Reply) {
	envelope := r.Frame.Payload()
	if len(c.replies) < maxHTTPReplies && c.bytes+len(envelope) <= maxHTTPReplyBytes {
		c.replies = append(c.replies, envelope)
		c.bytes += len(envelope)
	} else {
		c.omitted++
	}
}

func (c *httpWaiter) Stop() {}

func (c *httpWaiter) End(e hub.CommandEnd) {
	c.ending = e
	close(c.done)
}

// json returns the JSON of a finished call. The replies are written as for plain
// clients, with --nan python not strictly JSON.
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
