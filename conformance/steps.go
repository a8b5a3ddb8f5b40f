package conformance

import (
	"fmt"
	"slices"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// step plays one step.
func (p *player) step(s Step) error {
	switch {
	case s.Connect != nil:
		return p.connect(*s.Connect)
	case s.Subscribe != nil:
		return p.subscribeStep(*s.Subscribe)
	case s.Unsubscribe != "":
		if err := p.driver.Call(Message{"call": "unsubscribe", "as": s.Unsubscribe}); err != nil {
			return err
		}
		return p.awaitMessage(Message{"op": "unsubscribe"})
	case s.Command != nil:
		return p.commandStep(*s.Command)
	case s.Reply != nil:
		return p.reply(*s.Reply)
	case s.Away != nil:
		p.record(*s.Away)
		return nil
	case s.Resumed != nil:
		return p.resumedStep(*s.Resumed)
	case s.Restart != nil:
		p.restart(*s.Restart)
		return nil
	case s.Ask != nil:
		return p.ask(*s.Ask)
	case s.Bridge != nil:
		p.send(p.vars.Fill(s.Bridge))
		return nil
	case s.Client != nil:
		return p.awaitMessage(s.Client)
	case s.Call != nil:
		call, _ := p.vars.Fill(s.Call).(map[string]any)
		return p.driver.Call(call)
	case s.Sees != nil:
		return p.sees(s.Sees)
	case s.Post != nil:
		return p.post(*s.Post)
	case s.Cut != nil:
		return p.cutStep(*s.Cut)
	case s.Fault != nil:
		return p.faultStep(*s.Fault)
	case s.Confirm != "":
		return p.confirmStep(s.Confirm)
	case s.Again != 0:
		return p.again(p.first + s.Again)
	}
	return fmt.Errorf("the step is empty")
}

// connect makes the client, or awaits that it connects again, and greets it.
func (p *player) connect(c Connect) error {
	p.server.setRefusal(c.Refuse)
	if !p.made {
		call := Message{"call": "connect", "url": p.server.url()}
		if c.Token != "" {
			call["token"] = c.Token
		}
		if c.TokenBy != "" {
			call["token_by"] = c.TokenBy
		}
		if err := p.driver.Call(call); err != nil {
			return err
		}
		p.made = true
	}
	if c.Refuse != 0 {
		return nil
	}
	if err := p.until("a connection", func() bool { return p.upcoming != nil }); err != nil {
		return err
	}
	w := p.upcoming
	p.upcoming = nil
	early := p.inbox
	p.inbox = nil
	p.begin(w)
	p.open = true
	if c.TokenBy == "message" {
		p.send(Message{"op": "hello", "auth": "required", "timeout_ms": 10_000})
		for _, m := range early {
			p.message(m)
		}
		if err := p.awaitMessage(Message{"op": "auth", "id": "$auth", "token": c.Token}); err != nil {
			return err
		}
		p.miniature.hello(c.Hello)
		p.send(p.vars.Fill(Message{"op": "ok", "id": "$auth", "access": c.Hello["access"]}))
		delete(p.vars, "$auth")
		return p.awaitResume(c)
	}
	if c.Token != w.token {
		return fmt.Errorf("the client showed the token %q in its handshake, want %q", w.token, c.Token)
	}
	if !w.v1 && len(early) == 0 {
		if err := p.until("that the client opts in to v1", func() bool { return len(p.inbox) > 0 }); err != nil {
			return err
		}
		early, p.inbox = p.inbox, nil
	}
	p.miniature.hello(c.Hello)
	for _, m := range early {
		p.message(m)
	}
	return p.awaitResume(c)
}

// awaitResume awaits that the client resumes, where it has to.
func (p *player) awaitResume(c Connect) error {
	// A client sends nothing before it knows that it is connected.
	p.greeted++
	if err := p.until("that the client is open", func() bool { return p.opened >= p.greeted }); err != nil {
		return err
	}
	if c.Fresh && len(p.resumes) > 0 {
		return fmt.Errorf("it resumed, and must not")
	}
	if c.Since == nil {
		return nil
	}
	if err := p.until("that the client resumes", func() bool { return len(p.resumes) > 0 }); err != nil {
		return err
	}
	if wrong := p.resumedAt(p.first + *c.Since); wrong != "" {
		return fmt.Errorf("%s", wrong)
	}
	return nil
}

// wanted returns the request that a subscription is expected to send.
func (s Subscribe) wanted() Message {
	m := Message{"op": "subscribe"}
	if s.Filter != nil {
		fields := Message{}
		for name, value := range s.Filter {
			fields[name] = value
		}
		m["filter"] = fields
	}
	return m
}

func (p *player) subscribeStep(s Subscribe) error {
	call := Message{"call": "subscribe", "as": s.As, "filter": nil, "snapshot": len(s.Snapshot) > 0}
	if s.Filter != nil {
		call["filter"] = s.Filter
	}
	if s.Throttle > 0 {
		call["throttle_ms"] = s.Throttle
	}
	if s.Ordered {
		call["ordered"] = true
	}
	if s.Notices != nil {
		call["notices"] = s.Notices
	}
	if s.Rooms != nil {
		call["rooms"] = s.Rooms
	}
	p.remember(s.Snapshot)
	if s.Refused != "" {
		p.refusals = append(p.refusals, s)
	}
	if err := p.driver.Call(call); err != nil {
		return err
	}
	if s.Refused != "" {
		return p.sees(Message{"event": "refused", "on": s.As, "code": s.Refused})
	}
	if err := p.awaitRequest(s); err != nil {
		return err
	}
	if err := p.sees(Message{"event": "subscribed", "on": s.As}); err != nil || len(s.Snapshot) == 0 {
		return err
	}
	return p.sees(Message{"event": "values", "on": s.As, "values": s.Snapshot})
}

// wantedRequest is [Subscribe.wanted] with all members that a bridge must be told.
func (p *player) wantedRequest(s Subscribe) Message {
	m := s.wanted()
	if s.Throttle > 0 {
		m["throttle_ms"] = Number(s.Throttle)
	}
	if s.Ordered {
		m["ordered"] = true
	}
	if s.Notices != nil {
		m["notices"] = list(s.Notices)
	}
	if s.Rooms != nil {
		m["rooms"] = list(s.Rooms)
	}
	if len(s.Snapshot) > 0 {
		m["snapshot"] = true
	}
	return m
}

func (p *player) commandStep(c Command) error {
	call := Message{"call": "send", "as": c.As, "consumer": c.Consumer, "command_string": c.String}
	if c.ID != "" {
		call["command_id"] = c.ID
	}
	if c.Timeout > 0 {
		call["timeout_ms"] = c.Timeout
	}
	if c.Expires > 0 {
		call["expires_ms"] = c.Expires
	}
	p.expected = &c
	if err := p.driver.Call(call); err != nil {
		return err
	}
	if err := p.until("the command "+c.As, func() bool { return p.expected == nil }); err != nil {
		return err
	}
	if c.State == "" {
		return nil
	}
	event := Message{"event": "command", "as": c.As, "state": c.State}
	if c.Refused != "" {
		event["code"] = c.Refused
	}
	return p.sees(event)
}

// record numbers a reply.
func (p *player) record(r Reply) kept {
	var id any
	commander := "." + r.Sender
	if s := p.commands[r.To]; s != nil {
		id, commander = s.id, "bridge."+s.consumer
		s.replies++
	}
	return p.add(r, id, commander)
}

// reply sends a reply, and checks which subscriptions show it.
func (p *player) reply(r Reply) error {
	k := p.record(r)
	if r.Hidden {
		if s := p.commands[r.To]; s != nil {
			p.end(s, r)
		}
		return nil
	}
	p.deliver(k)
	body, err := Parse([]byte(`{"body": ` + string(r.Body) + `}`))
	if err != nil {
		return err
	}
	if s := p.commands[r.To]; s != nil {
		p.end(s, r)
		// Who waited for a command that became unknown waits no longer: a client need not show its replies, but its end.
		if p.doubted[r.To] {
			return p.shownOn(r, k, body)
		}
		if err := p.sees(Message{"event": "command_reply", "as": r.To, "seq": Number(int(k.seq)), "message_code": r.Code, "body": body["body"]}); err != nil {
			return err
		}
	}
	return p.shownOn(r, k, body)
}

// shownOn checks that a reply is the next one on its subscriptions.
func (p *player) shownOn(r Reply, k kept, body Message) error {
	for _, name := range r.On {
		want := Message{"event": "reply", "on": name, "seq": Number(int(k.seq)), "sender": r.Sender, "message_code": r.Code, "body": body["body"]}
		if err := p.sees(want); err != nil {
			return err
		}
	}
	return nil
}

// end tells the result of a command that was sent with an op.
func (p *player) end(s *sent, r Reply) {
	if !slices.Contains([]string{":", "f", "!"}, r.Code) || !s.op || s.wire != p.wire {
		return
	}
	p.confirm(s)
	status := "failed"
	if r.Code == ":" {
		status = "done"
	}
	result := Message{"op": "result", "id": s.request, "command_id": s.id, "status": status, "message_code": r.Code, "replies": s.replies, "duration_ms": 1.5}
	if status == "failed" {
		result["message"] = "it failed"
	}
	if r.Hidden {
		delete(result, "message_code")
		delete(result, "message")
		result["replies"] = s.replies - 1
	}
	p.send(result)
}

func (p *player) resumedStep(r Resumed) error {
	for n := r.From; n <= r.To; n++ {
		if err := p.sees(Message{"event": "reply", "on": r.On, "seq": Number(int(p.first + n))}); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) ask(a Ask) error {
	p.asked, p.answered = &a, false
	call := Message{"call": "ask", "as": a.As, "what": a.What}
	if a.Args != nil {
		call["args"] = a.Args
	}
	if err := p.driver.Call(call); err != nil {
		return err
	}
	if err := p.until("the request "+a.What, func() bool { return p.answered }); err != nil {
		return err
	}
	if a.Error != "" {
		return p.sees(Message{"event": "error", "as": a.As, "code": a.Error})
	}
	event := Message{"event": "answer", "as": a.As}
	switch {
	case a.Shown != nil:
		event["value"] = a.Shown
	case a.Answer["op"] == nil:
		event["value"] = a.Answer
	}
	return p.sees(event)
}

func (p *player) cutStep(c Cut) error {
	w := p.wire
	w.cut(c)
	if err := p.until("the end of the connection", func() bool { return !p.open }); err != nil {
		return err
	}
	return nil
}

func (m *miniature) filterOf(fields Message) *filter.Filter {
	f, err := filter.Parse([]byte(format(fields)))
	if err != nil {
		return nil
	}
	return f
}
