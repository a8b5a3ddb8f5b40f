package bridge

import (
	"errors"
	"fmt"
	"time"

	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// trackedCommand sends a command whose sender waits for its end.
func (b *Bridge) trackedCommand(session *hub.Session, r request) error {
	s, err := b.readCommand(r.conn, r.client, r.fields, r.incoming)
	var wait time.Duration
	if err == nil {
		wait, err = parseTimeout(r.fields, s)
	}
	if err != nil {
		return b.rejectTracked(r, s, err)
	}
	b.askCommand(s, func(err error) {
		if err == nil {
			s.tracked = b.hub.ResultWaiter(hubConn{r.conn}, session, r.id)
			s.tracked.OnEnd, s.tracked.OnSent = b.onEnd(s), func() { r.client.results.Add(-1) }
			r.client.results.Add(1)
			if s.flight, err = b.hub.Inflight.Add(r.client, s.key(), s.tracked); err != nil {
				r.client.results.Add(-1)
			}
		}
		if err != nil {
			_ = b.rejectTracked(r, s, err) // it is a rejection
			return
		}
		// The answer comes first: once the timer runs, the end may come at any moment.
		r.conn.Send(protocol.Encode(protocol.OK{Op: "ok", ID: r.id, CommandID: s.CommandID, Data: s.data}))
		b.hub.Inflight.Start(s.flight, s.tracked, wait)
		b.publish(s)
	})
	return nil
}

// rejectTracked answers a command that is not sent. It returns an error that is not a rejection.
func (b *Bridge) rejectTracked(r request, s *outgoing, err error) error {
	no, ok := errors.AsType[*protocol.Rejection](err)
	if !ok {
		return err
	}
	b.noteRejected(s, no)
	r.conn.Send(protocol.Encode(protocol.Error{Op: "error", ID: r.id, CommandID: s.CommandID, Code: no.Code, Message: no.Message, Data: no.Data}))
	return nil
}

// parseTimeout reads how long the sender waits for the end of a command: from now, or from
// its expires_at.
func parseTimeout(f protocol.Fields, s *outgoing) (time.Duration, error) {
	var ms int
	if err := protocol.Optional(f, "timeout_ms", "a whole number of milliseconds", &ms); err != nil {
		return 0, err
	}
	if ms < 0 || ms > int(hub.MaxWait/time.Millisecond) {
		return 0, fmt.Errorf("timeout_ms is %d; write 1 to %d, or leave it out for the longest", ms, hub.MaxWait/time.Millisecond)
	}
	wait := hub.MaxWait
	if ms > 0 {
		wait = time.Duration(ms) * time.Millisecond
	}
	return wait + s.untilExpiry(), nil
}

// untilExpiry returns the time until expires_at, or 0 without one.
func (s *outgoing) untilExpiry() time.Duration {
	if s.expires.IsZero() {
		return 0
	}
	return max(0, time.Until(s.expires))
}
