package hub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// recordedLog is a log of recording clients. Like the engine's, it holds back frames that may wait
// until one comes that may not.
type recordedLog struct {
	mu        sync.Mutex // guards the following fields; it comes before a client's
	frames    []engine.Frame
	followers []*recordingClient
	released  int // how many frames are not held back
}

func (g *recordedLog) Append(f engine.Frame) { g.AppendWithin(f, 0) }

func (g *recordedLog) AppendWithin(f engine.Frame, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.frames = append(g.frames, f)
	if wait > 0 {
		return
	}
	g.released = len(g.frames)
	for _, c := range g.followers {
		c.catchUp(g)
	}
}

func (g *recordedLog) Close() {}

// recordingClient is a v1 client and its connection. It records what it is sent.
type recordingClient struct {
	session *Session
	remote  string
	self    string // [Client.Self]
	left    bool
	answers chan map[string]any // messages with an op; it is not read while they fit in
	specs   map[string]modelSpec
	want    []uint64
	viewer  *modelViewer
	plain   bool // it gets replies without a number, which is a keyword of theirs

	mu       sync.Mutex // guards the following fields
	log      *recordedLog
	cursor   int // the next frame of the log to receive
	heard    []uint64
	catching catchingUp
	code     int // of its end; 0 while it is open

	fragments []byte // of a message that is not complete
}

// Remote, HasLeft, Session and Self make it a [Client].
func (c *recordingClient) Remote() string    { return c.remote }
func (c *recordingClient) HasLeft() bool     { return c.left }
func (c *recordingClient) Session() *Session { return c.session }
func (c *recordingClient) Self() string      { return c.self }

// catchUp takes the frames of the log that the client does not have yet. The log's lock is
// held.
func (c *recordingClient) catchUp(g *recordedLog) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; c.cursor < len(g.frames); c.cursor++ {
		c.take(g.frames[c.cursor])
	}
}

// follow makes the client follow a log, or none, after the rest of its former log and first.
func (c *recordingClient) follow(next *recordedLog, first []engine.Frame) {
	c.mu.Lock()
	old := c.log
	c.mu.Unlock()
	if old != nil {
		old.mu.Lock()
		c.catchUp(old)
		old.followers = slices.DeleteFunc(old.followers, func(o *recordingClient) bool { return o == c })
		old.mu.Unlock()
	}
	c.mu.Lock()
	for _, f := range first {
		c.take(f)
	}
	c.log = next
	c.mu.Unlock()
	if next != nil {
		next.mu.Lock()
		defer next.mu.Unlock()
		c.mu.Lock()
		c.cursor = len(next.frames)
		c.mu.Unlock()
		next.followers = append(next.followers, c)
	}
}

// Follow, SendInOrder, Send and Close make it a [Conn].
func (c *recordingClient) Follow(log Log, first ...engine.Frame) {
	next, _ := log.(*recordedLog)
	c.follow(next, first)
}

func (c *recordingClient) SendInOrder(frames ...engine.Frame) {
	c.mu.Lock()
	log := c.log
	c.mu.Unlock()
	if log != nil {
		log.mu.Lock()
		defer log.mu.Unlock()
		c.catchUp(log)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range frames {
		c.take(f)
	}
}

func (c *recordingClient) Send(f engine.Frame) { c.SendInOrder(f) }

func (c *recordingClient) Close(code int, _ string) {
	c.follow(nil, nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.code = code
}

// take records a frame. mu is held.
func (c *recordingClient) take(f engine.Frame) {
	in := bytes.NewReader(f)
	header, err := ws.ReadHeader(in)
	if err != nil {
		panic(err)
	}
	c.fragments = append(c.fragments, f[len(f)-in.Len():]...)
	if !header.Fin {
		return
	}
	var m map[string]any
	if err := json.Unmarshal(c.fragments, &m); err != nil {
		panic(err)
	}
	c.fragments = nil
	if c.plain {
		c.heard = append(c.heard, uint64(m["body"].(map[string]any)["n"].(float64)))
		return
	}
	if m["op"] != nil {
		c.catching.message(m)
		c.answers <- m
		return
	}
	seq := uint64(m["seq"].(float64))
	c.catching.reply(seq)
	c.heard = append(c.heard, seq)
}

// catchingUp is where a client is among what its subscriptions missed. A client that is cut off resumes each of them from
// there, so what one missed must come in order, right after its answer, and before anything that it did not miss.
type catchingUp struct {
	upTo, last uint64 // what comes now was missed by one subscription, up to this number; 0 if none does
	over       uint64 // up to this number, nothing may come any more
	wrong      string
}

func (c *catchingUp) message(m map[string]any) {
	c.over, c.upTo, c.last = max(c.over, c.upTo), 0, 0
	if m["op"] == "ok" && m["resumed"] == true {
		c.upTo = uint64(m["seq"].(float64))
	}
}

func (c *catchingUp) reply(seq uint64) {
	switch {
	case seq <= c.upTo && seq > c.last:
		c.last = seq
	case seq <= c.upTo:
		c.wrong = fmt.Sprintf("the reply %d comes after %d, both of which were missed", seq, c.last)
	case seq <= c.over:
		c.wrong = fmt.Sprintf("the reply %d comes after all up to %d should have come", seq, c.over)
	default:
		c.over, c.upTo = max(c.over, c.upTo), 0
	}
}

// replies returns the numbers of the replies that the client has received.
func (c *recordingClient) replies() []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.heard)
}
