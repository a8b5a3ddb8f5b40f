package hub

import (
	"time"

	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// ResultWaiter is the waiter of a v1 client for a command's end.
type ResultWaiter struct {
	hub     *Hub
	conn    Conn
	session *Session
	ID      *string
	// OnEnd, if set, is called with the end. Hub.mu is held.
	OnEnd func(CommandEnd)
	// OnSent, if set, is called once the client has been sent the end. Hub.mu is held.
	OnSent func()
	stop   func() (stopped bool) // stops the timer; nil before that runs. Guarded by Inflight.mu
}

// ResultWaiter returns a waiter that sends the client the result of its request.
func (h *Hub) ResultWaiter(conn Conn, s *Session, id *string) *ResultWaiter {
	return &ResultWaiter{hub: h, conn: conn, session: s, ID: id}
}

// Start starts the timeout of the client's wait.
func (f *Inflight) Start(c *Command, w *ResultWaiter, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.waiter == w {
		w.stop = w.hub.after(wait, func() { w.hub.timeout(c) })
	}
}

// timeout ends the wait for a command's end.
func (h *Hub) timeout(c *Command) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if w, e := h.Inflight.GiveUp(c, TimeoutMessage); w != nil {
		w.End(e)
	}
}

// Viewer implements [Waiter].
func (w *ResultWaiter) Viewer() *Viewer { return w.session.viewer.Load() }

// Gather implements [Waiter].
func (w *ResultWaiter) Gather(*Reply) {}

// Stop implements [Waiter].
func (w *ResultWaiter) Stop() {
	if w.stop != nil {
		w.stop()
	}
}

// End implements [Waiter]. The result follows the replies that came before.
func (w *ResultWaiter) End(e CommandEnd) {
	if w.OnEnd != nil {
		w.OnEnd(e)
	}
	w.hub.sayTo(w.conn, w.session, protocol.Encode(protocol.Result{
		Op: "result", ID: w.ID, CommandID: e.CommandID, Status: e.Status, MessageCode: e.MessageCode,
		Replies: e.Replies, DurationMS: Milliseconds(e.Duration), Message: e.Message,
	}))
	if w.OnSent != nil {
		w.OnSent()
	}
}

// Milliseconds returns a duration in milliseconds, to the microsecond.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
