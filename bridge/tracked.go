package bridge

import (
	"errors"
	"fmt"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// tracked is the waiter of a v1 client for a command's end.
type tracked struct {
	hub     *hub
	conn    engine.Conn
	session *session
	id      *string
	timer   func() (stopped bool) // stops it; nil before it runs. Guarded by inflight.mu
}

// trackedCommand handles a command whose sender waits for its end.
func (b *Bridge) trackedCommand(session *session, r opRequest) error {
	s, err := b.readCommand(r.conn, r.client, r.fields, r.incoming)
	var wait time.Duration
	if err == nil {
		wait, err = waitFrom(r.fields, s)
	}
	if err == nil {
		s.tracked = &tracked{hub: b.hub, conn: r.conn, session: session, id: r.id}
		s.flight, err = b.hub.inflight.add(r.client, s.key(), s.tracked)
	}
	if no, ok := errors.AsType[*rejection](err); ok {
		b.metrics.refused.Inc()
		b.logCommand(s, no.code)
		r.conn.Send(frameOf(errorMessage{Op: "error", ID: r.id, CommandID: s.CommandID, Code: no.code, Message: no.words}))
		return nil
	}
	if err != nil {
		return err
	}
	// Nothing may come before the answer: the time begins here, and the end may be
	// near.
	r.conn.Send(frameOf(okMessage{Op: "ok", ID: r.id, CommandID: s.CommandID}))
	b.hub.inflight.start(s.flight, s.tracked, wait)
	b.publish(s)
	return nil
}

// waitFrom reads how long the sender waits for the end of a command: from now, or from
// its expires_at.
func waitFrom(f fields, s *sending) (time.Duration, error) {
	var ms int
	if err := optional(f, "timeout_ms", "a whole number of milliseconds", &ms); err != nil {
		return 0, err
	}
	if ms < 0 || ms > int(longestWait/time.Millisecond) {
		return 0, fmt.Errorf("timeout_ms is %d; write 1 to %d, or leave it out for the longest", ms, longestWait/time.Millisecond)
	}
	wait := longestWait
	if ms > 0 {
		wait = time.Duration(ms) * time.Millisecond
	}
	return wait + s.untilExpiry(), nil
}

// untilExpiry returns the time until expires_at, or 0 without one.
func (s *sending) untilExpiry() time.Duration {
	if s.expires.IsZero() {
		return 0
	}
	return max(0, time.Until(s.expires))
}

// start starts the timer of the wait.
func (f *inflight) start(c *command, w *tracked, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.waiter == w {
		w.timer = afterFunc(wait, func() { w.hub.timeout(c) })
	}
}

// timeout ends the wait for a command's end.
func (h *hub) timeout(c *command) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if w, e := h.inflight.giveUp(c, waitsNoLonger); w != nil {
		w.end(e)
	}
}

func (w *tracked) gather(*reply) {}

func (w *tracked) stop() {
	if w.timer != nil {
		w.timer()
	}
}

// end sends the result, behind the replies that came before.
func (w *tracked) end(e commandEnd) {
	w.hub.say(w.conn, w.session, frameOf(resultMessage{
		Op: "result", ID: w.id, CommandID: e.commandID, Status: e.status, MessageCode: e.code,
		Replies: e.replies, DurationMS: milliseconds(e.took), Message: e.message,
	}))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
