package model

import "strings"

// Replied takes a reply to a question: its sender, its id, its code as CLU writes it, and its body,
// a JSON object whose memory is valid during the call only. Replies to other commands are ignored.
func (m *Models) Replied(sender, id, code string, body []byte) {
	var do effects
	defer func() { do.run() }()
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.questions[id]
	if p == nil {
		return
	}
	if p.of.actor != sender { // a command to dome.x is received by the actor dome
		m.forget(id, p, Dropped)
		p.of.asking.end("No actor of this name answers: another one receives the commands to it.")
		m.ask(p.of, &do)
		return
	}
	p.got.read(body, p.room)
	p.room -= min(p.room, len(body))
	p.replies++
	switch {
	case code == ":":
		p.got.done = true
	case code == "f" || code == "!":
	case p.replies < maxReplies:
		return
	}
	outcome := Refused
	if p.got.done {
		outcome = Answered
	}
	m.forget(id, p, outcome)
	if p.of.asking.step == askModel { // it has started already, if nobody has noticed yet
		p.of.stopped = false
	}
	p.of.asking.answered(p.got)
	m.ask(p.of, &do)
}

// forget ends the wait for an answer, and counts what became of the question. mu is held.
func (m *Models) forget(id string, p *pending, outcome Outcome) {
	m.stats.Outcomes[outcome]++
	p.stop()
	delete(m.questions, id)
	p.of.question = nil
}

// Unsent takes the news that a question was not sent, with a sentence that says why. The actor is asked
// again as soon as somebody wants its model.
func (m *Models) Unsent(id, reason string) {
	m.fail(id, Unsent, reason, func(e *entry) { e.again = 0 })
}

// Unheard takes the news that nobody listens to an actor's commands. It is asked again once it has
// started, and now and then.
func (m *Models) Unheard(id string) {
	m.fail(id, Unheard, "Nobody listens to this actor's commands; it is asked again once it is back.", func(e *entry) { e.stopped = true })
}

// fail ends a conversation because a question has no answer. note notes what that means for the actor;
// it may be nil.
func (m *Models) fail(id string, outcome Outcome, reason string, note func(*entry)) {
	var do effects
	defer func() { do.run() }()
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.questions[id]
	if p == nil {
		return
	}
	m.forget(id, p, outcome)
	p.of.asking.end(reason)
	m.ask(p.of, &do)
	if note != nil {
		note(p.of)
	}
}

// Started takes the news that somebody listens to an actor's commands. If nobody did before, or that
// is not known, the actor has started anew: its model may be another one, and if it is being asked, it
// is asked again from the beginning.
func (m *Models) Started(actor string) {
	var do effects
	defer func() { do.run() }()
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[actor]; e != nil && e.stopped {
		e.stopped = false
		m.outdate(e, &do)
	}
}

// Unwatched takes the news that it is not known whether somebody listens to the actors: each of them
// may start anew meanwhile.
func (m *Models) Unwatched() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		e.stopped = true
	}
}

// outdate drops the model of an actor. mu is held.
func (m *Models) outdate(e *entry, do *effects) {
	if e.model != nil {
		m.store(e, nil)
		do.add(func() { m.cfg.Changed(e.actor) })
	}
	if e.asking == nil || e.question == nil {
		return // nothing was asked of the old one
	}
	for id, p := range m.questions {
		if p.of == e {
			m.forget(id, p, Dropped)
		}
	}
	e.asking = &asking{model: Model{Actor: e.actor, Asked: m.cfg.Now()}}
	m.ask(e, do)
}

// Stopped takes the news that nobody listens to an actor's commands any more. Its model stays, but
// a question to it has no answer.
func (m *Models) Stopped(actor string) {
	m.mu.Lock()
	if e := m.entries[actor]; e != nil {
		e.stopped = true
	}
	ids := []string{}
	for id, p := range m.questions {
		if p.of.actor == actor {
			ids = append(ids, id)
		}
	}
	m.mu.Unlock()
	for _, id := range ids {
		m.fail(id, Unheard, "The actor has stopped listening to commands; it is asked again once it is back.", nil)
	}
}

// noSuchCommand is how CLU's parser begins the reason for a command that an actor does not have.
const noSuchCommand = "NoSuchCommand: No such command '"

// Refused takes a reply with the keyword help, in which an actor may say that it does not have a
// command. If its model has it, the actor has changed.
func (m *Models) Refused(actor string, body []byte) {
	var got answer
	got.read(body, maxTextBytes)
	for _, line := range got.help {
		rest, ok := strings.CutPrefix(line, noSuchCommand)
		name, _, closed := strings.Cut(rest, "'")
		if ok && closed {
			m.lacks(actor, name)
		}
	}
}

// lacks takes the news that an actor does not have a command.
func (m *Models) lacks(actor, name string) {
	var do effects
	defer func() { do.run() }()
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[actor]
	if e == nil || e.model == nil || findCommand(e.model.Commands, []string{name}) == nil {
		return
	}
	// Some actors list commands that they do not have.
	if now := m.cfg.Now(); e.notified.IsZero() || now.Sub(e.notified) >= refreshAfter {
		e.notified = now
		m.outdate(e, &do)
	}
}

// sizeOf returns roughly how many bytes a model takes in memory.
func sizeOf(m *Model) int { return 512 + commandsSize(m.Commands) + keywordsSize(m.Keywords) }

func commandsSize(commands []Command) (n int) {
	for i := range commands {
		c := &commands[i]
		n += 128 + len(c.Name) + len(c.Help) + commandsSize(c.Commands)
		for j := range c.Params {
			p := &c.Params[j]
			n += 384 + len(p.Name) + len(p.Help) + len(p.Default)
			for _, w := range p.Choices {
				n += 16 + len(w)
			}
		}
	}
	return n
}

func keywordsSize(keywords map[string]Keyword) (n int) {
	for name, k := range keywords {
		n += keywordSize(&k) + len(name)
	}
	return n
}

func keywordSize(k *Keyword) int {
	n := 256 + len(k.Description) + keywordsSize(k.Members)
	for _, v := range k.Enum {
		n += 24 + len(v)
	}
	if k.Items != nil {
		n += keywordSize(k.Items)
	}
	return n
}
