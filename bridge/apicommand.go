package bridge

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

const commandForm = `{"consumer": "<actor>", "command_string": "<command>", "command_id": "<any text, or leave it out>"}`

// apiCommand sends a command as a client does, and waits for the broker's confirm,
// or for the command's end.
func (b *Bridge) apiCommand(r *http.Request, payload []byte) (int, []byte, *apiError) {
	wait, wrong := waitOf(r)
	if wrong != nil {
		return 0, nil, wrong
	}
	f, wrong := readFields(payload, commandForm, "consumer", "command_string", "command_id")
	if wrong != nil {
		return 0, nil, wrong
	}
	sender := &client{remote: r.RemoteAddr}
	sender.leaving.Store(b.draining.Load())
	command, err := b.readCommand(sender, f)
	if err != nil {
		b.metrics.refused.Inc()
		return 0, nil, rejected(command.CommandID, err)
	}
	if wait == 0 {
		if wrong := b.publishFor(sender, command); wrong != nil {
			return 0, nil, wrong
		}
		return http.StatusAccepted, jsonOf(struct {
			CommandID string `json:"command_id"`
		}{command.CommandID}), nil
	}
	return b.awaitEnd(r.Context(), sender, command, wait)
}

// rejected says why a command is not sent.
func rejected(commandID string, err error) *apiError {
	wrong := &apiError{Status: http.StatusBadRequest, Error: err.Error(), Code: "bad_request", CommandID: commandID}
	if no, ok := errors.AsType[*rejection](err); ok {
		wrong.Code, wrong.Status = no.code, http.StatusForbidden
		if no.code == "leaving" {
			wrong.Status = http.StatusServiceUnavailable
		}
	}
	return wrong
}

// publishFor publishes a command and waits for its outcome, which the link gives
// within a second. Of one to nobody everyone on the exchange hears, as always.
func (b *Bridge) publishFor(sender *client, command actor.Command) *apiError {
	outcome := make(chan amqpx.Outcome, 1)
	if err := b.link.Publish(command.Message(), func(o amqpx.Outcome) { outcome <- o }); err != nil {
		b.metrics.refused.Inc()
		return &apiError{Status: http.StatusBadRequest, Error: err.Error(), Code: "invalid", CommandID: command.CommandID}
	}
	o := <-outcome
	b.metrics.commands[o].Inc()
	switch o {
	case amqpx.Confirmed:
		return nil
	case amqpx.Returned:
		// The asker is told below, whatever becomes of the reply.
		_ = b.link.Publish(command.Unroutable(b.cfg.Name), func(amqpx.Outcome) {})
	default:
		b.failures.note(o.String(), "consumer", command.Consumer, "command_id", command.CommandID, "client", sender.remote)
	}
	return &apiError{Status: outcomeStatus(o), Error: actor.CommandFailure(o, command.Consumer), Code: o.String(), CommandID: command.CommandID}
}

// outcomeStatus is a failed command's in HTTP.
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

// awaitEnd sends a command and gives its replies once it has ended, or those that
// there are when the time is over, with the status 504.
func (b *Bridge) awaitEnd(ctx context.Context, sender *client, command actor.Command, wait time.Duration) (int, []byte, *apiError) {
	began := time.Now()
	if b.hub.own.of(command.CommandID) != nil {
		return 0, nil, &apiError{Status: http.StatusConflict, Error: errOwnTwice.Error(), CommandID: command.CommandID}
	}
	c, wrong := b.hub.calls.add(command.CommandID)
	if wrong != nil {
		return 0, nil, wrong
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	wrong = b.publishFor(sender, command)
	if wrong == nil {
		select {
		case <-c.done:
		case <-timer.C:
		case <-ctx.Done(): // nobody reads the answer
		}
	}
	b.hub.calls.forget(command.CommandID, c)
	if wrong != nil {
		return 0, nil, wrong
	}
	status := http.StatusOK
	if c.status == "timeout" {
		status = http.StatusGatewayTimeout
	}
	return status, c.answer(command.CommandID, time.Since(began)), nil
}

// answer is the JSON of a call that was forgotten. The replies are as they were
// written for the clients, be it JSON or what CLU makes of it.
func (c *call) answer(commandID string, took time.Duration) []byte {
	buf := append([]byte(`{"command_id":`), jsonOf(commandID)...)
	buf = append(buf, `,"status":"`+c.status+`","replies":[`...)
	for i, reply := range c.replies {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, reply...)
	}
	buf = append(buf, `],"omitted":`...)
	buf = strconv.AppendInt(buf, int64(c.omitted), 10)
	buf = append(buf, `,"duration_ms":`...)
	buf = strconv.AppendFloat(buf, float64(took.Microseconds())/1000, 'f', -1, 64)
	return append(buf, '}')
}
