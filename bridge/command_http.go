package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
)

const commandForm = `{"consumer": "<actor>", "command_string": "<command>", "command_id": "<any text, or leave it out>", "expires_at": <until when it may be sent, or leave it out>}`

// httpSender is the sender of a command over HTTP. It is gone when its request is cancelled.
type httpSender struct{ context.Context }

// Gone implements [amqpx.Sender].
func (a *httpSender) Gone() bool { return a.Err() != nil }

// apiCommand sends a command as a client does, and waits for the broker's confirm or for the
// command's end.
func (b *Bridge) apiCommand(r *http.Request, from *client, payload []byte) (int, []byte, *apiError) {
	in := incoming{receivedAt: time.Now(), late: b.paused()}
	wait, wrong := parseWait(r)
	if wrong != nil {
		return 0, nil, wrong
	}
	f, wrong := readFields(payload, commandForm, "consumer", "command_string", "command_id", "expires_at", "extra")
	if wrong != nil {
		return 0, nil, wrong
	}
	s, err := b.readCommand(engine.Conn{}, from, f, in)
	var waiter *httpWaiter
	if err == nil {
		err = b.askCommandHTTP(r.Context(), s)
	}
	if err == nil {
		waiter, err = b.registerHTTP(s, wait > 0)
	}
	if err != nil {
		return 0, nil, b.rejectHTTP(s, err)
	}
	defer b.hub.Inflight.Leave(from)
	if wrong := b.publishHTTP(&httpSender{r.Context()}, s); wrong != nil {
		return 0, nil, wrong
	}
	if waiter != nil {
		status, answer := b.awaitEnd(r.Context(), s, waiter, wait+s.untilExpiry())
		return status, answer, nil
	}
	return http.StatusAccepted, protocol.JSON(struct {
		CommandID string          `json:"command_id"`
		Data      json.RawMessage `json:"data,omitempty"`
	}{s.CommandID, s.data}), nil
}

// httpClient returns the client that sends a request to the API, as which principal it may act by the
// configuration of a generation.
func (b *Bridge) httpClient(r *http.Request, p *access.Principal, generation uint64) *client {
	c := new(client)
	c.setRemote(r.RemoteAddr)
	if p != nil {
		c.setPrincipal(p)
		c.extra.identified.Store(generation)
	}
	if b.leaving.Load() {
		c.set(clientLeaving)
	}
	return c
}

// registerHTTP registers a command before it is sent. The waiter is nil if its end is not
// awaited.
func (b *Bridge) registerHTTP(s *outgoing, waits bool) (waiter *httpWaiter, err error) {
	if !waits {
		s.flight, err = b.hub.Inflight.Add(s.client, s.key(), nil)
		return nil, err
	}
	waiter = newHTTPWaiter(func() *hub.Viewer { return b.viewerNow(s.client) })
	s.flight, err = b.hub.Inflight.AddHTTP(s.client, s.key(), waiter)
	return waiter, err
}

// rejectHTTP returns the answer to a command that is not sent.
func (b *Bridge) rejectHTTP(s *outgoing, err error) *apiError {
	no, ok := errors.AsType[*protocol.Rejection](err)
	if !ok {
		b.metrics.refused.Inc()
		return &apiError{Status: http.StatusBadRequest, Error: err.Error(), Code: protocol.CodeBadRequest, CommandID: s.CommandID}
	}
	b.noteRejected(s, no)
	return s.rejection(no)
}

// rejection returns the answer to a command that is rejected.
func (s *outgoing) rejection(no *protocol.Rejection) *apiError {
	wrong := &apiError{Status: http.StatusServiceUnavailable, Error: no.Message, Code: no.Code, CommandID: s.CommandID, retryAfter: no.RetryAfter}
	switch no.Code {
	case protocol.CodeForbidden:
		wrong.Status = http.StatusForbidden
	case protocol.CodeInUse:
		wrong.Status = http.StatusConflict
	case protocol.CodeRate:
		wrong.Status = http.StatusTooManyRequests
	case protocol.CodeInvalid:
		wrong.Status = http.StatusBadRequest
	}
	return wrong
}

// publishHTTP publishes a command and waits for its outcome, which the link gives within a
// second. The failed reply of a command without a consumer is published as usual.
func (b *Bridge) publishHTTP(from *httpSender, s *outgoing) *apiError {
	outcome := make(chan amqpx.Outcome, 1)
	if err := b.sendHTTP(from, s, outcome); err != nil {
		b.metrics.refused.Inc()
		b.endCommand(s, err.Code)
		b.hub.Inflight.Failed(s.flight, false)
		return s.rejection(err)
	}
	o := <-outcome
	b.recordOutcome(s, o)
	if o == amqpx.Confirmed || o.InDoubt() && b.hub.Inflight.Ended(s.flight) {
		return nil
	}
	if o == amqpx.Returned && b.failureRate.allow(quota.Address(s.client.Remote())) {
		// Wait for the reply, so that the client may reuse the id once it has its answer: until
		// the reply is back, it could be taken for the end of another command.
		over := make(chan struct{})
		b.publishFailedReply(s, s.UnroutableReply(b.cfg.Name), pendingReturn{report: func() { b.hub.Inflight.Failed(s.flight, false) }, done: func() { close(over) }})
		<-over
	} else {
		b.hub.Inflight.Failed(s.flight, o.InDoubt())
	}
	code, text := s.failure(o)
	if code == protocol.CodeForbidden {
		return s.rejection(s.forbidden.Load())
	}
	return &apiError{Status: outcomeStatus(o), Error: text, Code: code, CommandID: s.CommandID}
}

// sendHTTP records and publishes a command.
func (b *Bridge) sendHTTP(from *httpSender, s *outgoing, outcome chan<- amqpx.Outcome) *protocol.Rejection {
	recorded := make(chan error, 1)
	b.recordCommand(s, func(err error) { recorded <- err })
	if no, ok := errors.AsType[*protocol.Rejection](<-recorded); ok {
		return no
	}
	if err := b.send(s, from, func(o amqpx.Outcome) { outcome <- o }); err != nil {
		return &protocol.Rejection{Code: protocol.CodeInvalid, Message: err.Error()}
	}
	return nil
}

// outcomeStatus returns the HTTP status of a command that was not confirmed.
func outcomeStatus(o amqpx.Outcome) int {
	switch o {
	case amqpx.Returned:
		return http.StatusNotFound
	case amqpx.Refused:
		return http.StatusBadGateway
	case amqpx.Unknown:
		return http.StatusGatewayTimeout
	}
	return http.StatusServiceUnavailable
}

// endStatus returns the HTTP status of a command's end. A command that failed is no success, or a program
// that looks at the status alone takes it for one. 422 is no status after which a client sends a request
// again by itself.
func endStatus(status string) int {
	switch status {
	case hub.StatusDone:
		return http.StatusOK
	case hub.StatusFailed:
		return http.StatusUnprocessableEntity
	}
	return http.StatusGatewayTimeout
}

// awaitEnd returns a command's replies once it has ended. After the timeout, or if the bridge
// stops, it returns the replies so far with status 504.
func (b *Bridge) awaitEnd(ctx context.Context, s *outgoing, c *httpWaiter, wait time.Duration) (int, []byte) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	message := hub.TimeoutMessage
	select {
	case <-c.done:
	case <-timer.C:
	case <-b.stopping:
		message = hub.StoppingMessage
	case <-ctx.Done(): // the client is gone
	}
	w, e := b.hub.Inflight.GiveUp(s.flight, message)
	if w == nil { // it ended or was evicted just now
		<-c.done
		e = c.end
	}
	b.recordEnd(s, e.Status)
	return endStatus(e.Status), c.json(e)
}
