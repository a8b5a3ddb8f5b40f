package conformance

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// player plays the bridge's side of one case to a client.
type player struct {
	*miniature
	server   *server
	driver   *Driver
	patience time.Duration
	vars     Variables

	made     bool             // the client exists
	greeted  int              // connections so far
	opened   int              // and how many of them the client has shown
	open     bool             // and is greeted
	upcoming *wire            // a connection that no step has taken yet
	expected *Command         // the command that may come
	commands map[string]*sent // by the name of the step
	refusals []Subscribe      // subscriptions that are to be refused
	rooms    map[string]*wire // connections to rooms, by path
	past     map[string]any   // values from before the next subscription
	asked    *Ask             // the request that may come
	answered bool
	inbox    []Message // what the client has sent and no step has named
	shown    []Message // what the driver has printed and no step has named
	states   map[string]string
	doubted  map[string]bool // commands that were unknown once
	fault    error
	closed   bool // the driver has closed the client
}

// sent is a command that a client has sent.
type sent struct {
	id        string
	consumer  string
	wire      *wire
	request   any  // the id of the request, for a command with an op
	op        bool // it was sent with an op
	confirmed bool
	replies   int
}

// strictEvents are those of which a case names each one.
var strictEvents = []string{"reply", "gap", "dropped", "refused", "answer", "error", "message", "notice"}

func newPlayer(s *server, d *Driver, patience time.Duration) *player {
	return &player{miniature: newMiniature(), server: s, driver: d, patience: patience, vars: Variables{}, commands: map[string]*sent{}, rooms: map[string]*wire{}, states: map[string]string{}, doubted: map[string]bool{}}
}

// play plays a case, and returns where the client strayed from it.
func (p *player) play(c Case) error {
	p.server.setRefusal(0)
	for i, step := range c.Steps {
		if err := p.step(step); err != nil {
			err = fmt.Errorf("step %d, %s: %w%s", i+1, format(step), err, p.report())
			return errors.Join(err, p.finish(false))
		}
	}
	if err := p.finish(true); err != nil {
		return fmt.Errorf("at the end: %w%s", err, p.report())
	}
	return nil
}

// report tells what came that no step has named.
func (p *player) report() (text string) {
	for _, m := range p.shown {
		text += "\n    the client shows " + format(m)
	}
	for _, m := range p.inbox {
		text += "\n    the client sent " + format(m)
	}
	return text
}

// finish closes the client, and reports what it has shown beyond the case.
func (p *player) finish(judge bool) error {
	if judge && p.open {
		// What was sent before this has been shown when this is shown.
		p.send(Message{"op": "broker", "state": "no_replies", "reason": "the end of the case"})
		if err := p.sees(Message{"event": "broker", "state": "no_replies"}); err != nil {
			return err
		}
	}
	if !judge {
		p.fault = nil // it is told already
	}
	if p.made {
		if err := p.driver.Call(Message{"call": "close"}); err != nil {
			return err
		}
		if err := p.until("that the client is closed", func() bool { return p.closed }); err != nil {
			return err
		}
	}
	if !judge {
		return nil
	}
	for _, event := range p.shown {
		if kind, _ := event["event"].(string); slices.Contains(strictEvents, kind) {
			return fmt.Errorf("the client shows what the case does not have: %s", format(event))
		}
	}
	return nil
}

// until handles what happens until a condition holds.
func (p *player) until(what string, holds func() bool) error {
	deadline := time.NewTimer(p.patience)
	defer deadline.Stop()
	for {
		if p.fault != nil {
			return p.fault
		}
		if holds() {
			return nil
		}
		select {
		case it := <-p.server.items:
			p.handle(it)
		case event, ok := <-p.driver.events:
			if !ok {
				return fmt.Errorf("the driver has ended; waiting for %s", what)
			}
			p.show(event)
		case <-deadline.C:
			return fmt.Errorf("waited %v for %s", p.patience, what)
		}
	}
}

// fail keeps the first fault.
func (p *player) fail(text string, args ...any) {
	if p.fault == nil {
		p.fault = fmt.Errorf(text, args...)
	}
}

// show handles an event of the driver.
func (p *player) show(event Message) {
	switch event["event"] {
	case "closed":
		p.closed = true
		return
	case "broken":
		p.fail("the driver prints %v: %v", event["line"], event["error"])
	case "state":
		if event["state"] == "open" {
			p.opened++
		}
	case "command":
		p.commandState(event)
	}
	p.shown = append(p.shown, event)
}

// commandState checks that a command has one end.
func (p *player) commandState(event Message) {
	name, state := fmt.Sprint(event["as"]), fmt.Sprint(event["state"])
	switch before := p.states[name]; before {
	case "done", "failed", "rejected":
		if !p.closed {
			p.fail("the command %s was %s, and is %s now: a command has one end", name, before, state)
		}
	case "unknown":
		if state == "sent" {
			p.fail("the command %s was unknown, and is %s now", name, state)
		}
	}
	p.states[name] = state
	p.doubted[name] = p.doubted[name] || state == "unknown"
}

// handle handles what has happened on a connection.
func (p *player) handle(it item) {
	switch {
	case it.wire.path != "/":
		p.handleRoom(it)
	case it.opened:
		p.upcoming, p.inbox = it.wire, nil // what came over an earlier one is not answered on this one
	case it.closed:
		if it.wire == p.wire {
			p.open = false
		}
	case it.bad != "":
		p.fail("%s", it.bad)
	case it.wire == p.wire:
		p.message(it.msg)
	case it.wire == p.upcoming:
		p.inbox = append(p.inbox, it.msg) // before the hello
	}
}

// message answers a message of the client as a bridge does, unless a step has something else in mind.
func (p *player) message(m Message) {
	op, _ := m["op"].(string)
	p.inbox = append(p.inbox, m)
	switch {
	case op == "" && m["consumer"] != nil, op == "command":
		p.command(m, op != "")
		p.claim()
	case op == "ping":
		p.pong = p.seq
		p.send(Message{"op": "pong", "id": m["id"], "data": m["data"], "time": stamp(), "epoch": p.epoch, "seq": p.seq})
	case op == "subscribe":
		for i, refused := range p.refusals {
			if p.vars.Match(asSent(refused.wanted()), asSent(m)) == "" {
				p.refusals = slices.Delete(p.refusals, i, i+1)
				p.refuse(m, refused.Refused, "not here")
				return
			}
		}
		p.subscribe(m, p.past)
	case op == "unsubscribe":
		delete(p.subs, fmt.Sprint(m["id"]))
		p.send(Message{"op": "ok", "id": m["id"]})
	case op == "snapshot":
		p.sendSnapshotFor(m)
	case p.asked != nil && op == p.asked.What:
		p.answer(m)
		p.claim()
	case op == "auth":
	default:
		p.refuse(m, "bad_request", "the case does not have this")
	}
}

// claim takes the last message out of those that no step has named.
func (p *player) claim() { p.inbox = p.inbox[:len(p.inbox)-1] }

func (p *player) answer(m Message) {
	if diff := p.vars.Match(p.asked.Args, without(m, "op", "id")); len(p.asked.Args) > 0 && diff != "" {
		p.fail("the request %s: %s", format(m), diff)
		return
	}
	ask := p.asked
	p.asked, p.answered = nil, true
	if ask.Error != "" {
		p.refuse(m, ask.Error, "not here")
		return
	}
	answer := Message{"op": ask.What, "id": m["id"]}
	maps.Copy(answer, ask.Answer)
	p.send(p.vars.Fill(answer))
}

func without(m Message, names ...string) Message {
	less := maps.Clone(m)
	for _, name := range names {
		delete(less, name)
	}
	return less
}

// command handles a command of the client.
func (p *player) command(m Message, op bool) {
	c := p.expected
	if c == nil {
		p.fail("the client sent a command that the case does not have, or has sent it again: %s", format(m))
		return
	}
	if m["consumer"] != c.Consumer || m["command_string"] != c.String || c.ID != "" && m["command_id"] != c.ID {
		p.fail("the client sent %s, want the command %s", format(m), format(c))
		return
	}
	p.expected = nil
	s := &sent{consumer: c.Consumer, wire: p.wire, request: m["id"], op: op}
	s.id, _ = m["command_id"].(string)
	if s.id == "" {
		s.id = "made-by-the-bridge-" + c.As
	}
	p.commands[c.As] = s
	p.mine[s.id] = true
	switch {
	case c.Refused != "":
		p.sendRefusal(s, c.Refused, c.Message)
	case !c.Late:
		p.confirm(s)
	}
}

// sendRefusal sends an error about a command, in the words in which the client has sent it.
func (p *player) sendRefusal(s *sent, code, text string) {
	refusal := Message{"op": "error", "id": nil, "command_id": s.id, "code": code, "message": text}
	if s.op {
		delete(refusal, "command_id")
		refusal["id"] = s.request
	}
	p.send(refusal)
}

// faultStep sends an error about a command, in the words in which the client has sent it.
func (p *player) faultStep(f Fault) error {
	s := p.commands[f.To]
	if s == nil {
		return fmt.Errorf("there is no command %s", f.To)
	}
	p.sendRefusal(s, f.Code, "not here")
	return nil
}

// confirmStep tells that the broker has a command that was late.
func (p *player) confirmStep(name string) error {
	s := p.commands[name]
	if s == nil {
		return fmt.Errorf("there is no command %s", name)
	}
	p.confirm(s)
	return nil
}

// again sends a reply that the client has.
func (p *player) again(seq int64) error {
	i := slices.IndexFunc(p.history, func(k kept) bool { return k.seq == seq })
	if i < 0 {
		return fmt.Errorf("there is no reply %d", seq-p.first)
	}
	p.wire.send(p.history[i].text)
	return nil
}

// confirm tells that the broker has a command. A plain command has no such answer.
func (p *player) confirm(s *sent) {
	if s.op && !s.confirmed && s.wire == p.wire {
		p.send(Message{"op": "ok", "id": s.request, "command_id": s.id})
	}
	s.confirmed = true
}

func (p *player) sendSnapshotFor(m Message) {
	fields, _ := m["filter"].(map[string]any)
	sub := p.filterOf(fields)
	p.sendSnapshot(m["id"], sub)
}
