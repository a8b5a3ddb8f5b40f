package wsclient

import (
	"errors"
	"testing"
	"time"
)

func TestACommandThatHasNotLeftInItsTimeWasNotSent(t *testing.T) {
	s := newServer(t, true, func(_ int, p *peer) {
		p.send(helloText)
		p.idle()
	})
	c := s.dial(t, nil)
	command := &Command{ID: "mine", Consumer: "dome", client: c, state: Sent, done: make(chan struct{}), final: make(chan struct{}), changed: make(chan struct{})}
	c.mu.Lock()
	c.own.active["mine"] = command // the socket takes nothing: it waits in the outbox
	c.mu.Unlock()
	c.giveUp(command, time.Second)
	if _, err := command.Result(); !errors.Is(err, ErrRejected) {
		t.Errorf("the command: %v", err)
	}
}

func TestAResultThatIsNotOfTheCommandEndsNothing(t *testing.T) {
	s := newServer(t, true, func(_ int, p *peer) {
		p.send(helloText)
		p.receive("subscribe")
		m := p.receive("command")
		p.send(`{"op": "result", "id": %q, "command_id": "a guess", "status": "done"}`, m["id"]) // as somebody may publish to a room
		p.send(`{"op": "ok", "id": %q, "command_id": %q}`, m["id"], m["command_id"])
		p.send(`{"op": "result", "id": %q, "command_id": %q, "status": "failed", "message": "no power"}`, m["id"], m["command_id"])
		p.idle()
	})
	c := s.dial(t, nil)
	command := c.Send(within(t), "dome", "open", SendOptions{})
	if _, err := command.Wait(within(t)); !errors.Is(err, ErrFailed) {
		t.Errorf("the command: %v", err)
	}
}
