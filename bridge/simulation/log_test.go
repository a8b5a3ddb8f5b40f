package simulation

import (
	"slices"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// fanLog is a [hub.Log] like the engine's: its frames go to all followers, and a frame that may wait is sent
// together with the next that may not.
type fanLog struct {
	mu        sync.Mutex // guards the following fields; it comes before a connection's
	frames    []engine.Frame
	followers []*conn
	due       time.Time // when waiting frames are sent; zero if there are none
	timer     *time.Timer
}

func newLog() *fanLog { return &fanLog{} }

func (l *fanLog) Append(f engine.Frame) { l.AppendWithin(f, 0) }

func (l *fanLog) AppendWithin(f engine.Frame, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames = append(l.frames, f)
	if wait <= 0 {
		l.release()
		return
	}
	if due := time.Now().Add(wait); l.due.IsZero() || due.Before(l.due) {
		l.due = due
		if l.timer != nil {
			l.timer.Stop()
		}
		l.timer = time.AfterFunc(wait, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if !l.due.IsZero() && !time.Now().Before(l.due) {
				l.release()
			}
		})
	}
}

// release is called with mu held.
func (l *fanLog) release() {
	l.due = time.Time{}
	for _, c := range slices.Clone(l.followers) {
		c.catchUp(l)
	}
}

func (l *fanLog) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release()
}

// conn is a client's connection, with the frames that the client has not read yet.
type conn struct {
	c       *client
	session *hub.Session

	readable chan struct{} // capacity 1

	mu     sync.Mutex // guards the following fields
	log    *fanLog
	cursor int      // index of the next frame of the log
	queue  []queued // frames to read
	shared int      // how many of them are from a log
	closed bool
	left   bool
	leftAt time.Time
}

type queued struct {
	frame  engine.Frame
	shared bool
}

// maxBehind is the number of unread frames of a log at which a client is too slow.
const maxBehind = 40

// Follow, SendInOrder, Send and Close make it a [hub.Conn].
func (c *conn) Follow(log hub.Log, first ...engine.Frame) {
	next, _ := log.(*fanLog)
	c.flush(func(old *fanLog) {
		old.followers = slices.DeleteFunc(old.followers, func(o *conn) bool { return o == c })
	})
	c.put(first)
	c.mu.Lock()
	c.log = next
	c.mu.Unlock()
	if next == nil {
		return
	}
	next.mu.Lock()
	defer next.mu.Unlock()
	next.release() // waiting frames are not for this client
	c.mu.Lock()
	c.cursor = len(next.frames)
	c.mu.Unlock()
	next.followers = append(next.followers, c)
}

func (c *conn) SendInOrder(frames ...engine.Frame) {
	c.flush(func(*fanLog) {})
	c.put(frames)
}

func (c *conn) Send(f engine.Frame) { c.put([]engine.Frame{f}) }

func (c *conn) Close(code int, reason string) {
	c.mu.Lock()
	if !c.closed {
		c.c.w.note("client %d is closed: %d %s", c.c.number, code, reason)
	}
	c.closed = true
	c.mu.Unlock()
	signal(c.readable)
}

// Remote, HasLeft and Session make it a [hub.Client], and Gone a sender of messages.
func (c *conn) Remote() string        { return c.c.remote }
func (c *conn) Session() *hub.Session { return c.session }
func (c *conn) Self() string          { return "" }
func (c *conn) Gone() bool            { return c.HasLeft() }
func (c *conn) HasLeft() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left
}

// flush sends the frames of the log, and then calls do with the log locked.
func (c *conn) flush(do func(*fanLog)) {
	c.mu.Lock()
	log := c.log
	c.mu.Unlock()
	if log == nil {
		return
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	c.catchUp(log)
	do(log)
}

// catchUp sends the new frames of the log, whose lock is held.
func (c *conn) catchUp(l *fanLog) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; c.cursor < len(l.frames) && !c.closed; c.cursor++ {
		c.queue = append(c.queue, queued{l.frames[c.cursor], true})
		c.shared++
	}
	if c.shared > maxBehind && !c.closed {
		c.fallOff()
	}
	signal(c.readable)
}

// fallOff closes a client that is too slow, or skips frames, as the engine does. mu is held.
func (c *conn) fallOff() {
	if c.c.w.slow == "close" {
		c.closed = true
		c.c.w.note("client %d is too slow", c.c.number)
		return
	}
	notice := queued{frame: protocol.Encode(protocol.Dropped{Op: "dropped", Count: uint64(c.shared)})}
	at := slices.IndexFunc(c.queue, func(q queued) bool { return q.shared })
	c.queue = slices.Insert(c.queue, at, notice)
	c.queue = slices.DeleteFunc(c.queue, func(q queued) bool { return q.shared })
	c.shared = 0
	c.session.Skipped.Store(true)
}

func (c *conn) put(frames []engine.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range frames {
		if !c.closed {
			c.queue = append(c.queue, queued{frame: f})
		}
	}
	signal(c.readable)
}

// take returns the next frame, or nil at the end of the connection.
func (c *conn) take() engine.Frame {
	for {
		c.mu.Lock()
		switch {
		case c.left:
			c.mu.Unlock()
			return nil
		case len(c.queue) > 0:
			q := c.queue[0]
			c.queue = c.queue[1:]
			if q.shared {
				c.shared--
			}
			c.mu.Unlock()
			return q.frame
		case c.closed:
			c.mu.Unlock()
			return nil
		}
		c.mu.Unlock()
		<-c.readable
	}
}

// leave closes the connection on the client's side.
func (c *conn) leave() {
	c.mu.Lock()
	c.left, c.leftAt = true, time.Now()
	c.mu.Unlock()
	signal(c.readable)
}

func (c *conn) sendOK(id string) {
	c.Send(protocol.Encode(protocol.OK{Op: "ok", ID: &id, CommandID: id}))
}

func (c *conn) sendError(id, code string) {
	c.Send(protocol.Encode(protocol.Error{Op: "error", ID: &id, CommandID: id, Code: code}))
}
