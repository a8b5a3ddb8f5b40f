package model

import (
	"fmt"
	"reflect"
	"sync"
	"time"
)

// Times of the conversation with an actor.
const (
	// patience is how long somebody waits for a model before the answer is "asking".
	patience = 5 * time.Second
	// answerWithin is how long an actor may take for an answer: some are busy for a minute.
	answerWithin = 2 * time.Minute
	// againAfter is when an actor that did not answer is asked again, if somebody wants it.
	againAfter = 30 * time.Second
	// checkAfter is how old a model may be before the actor is asked again when somebody wants it.
	// The answer is the old one; if it turns out to be wrong, that is told.
	checkAfter = 10 * time.Minute
	// refreshAfter is how old a model must be to be refreshed, and how often a refused command
	// makes the actor be asked again.
	refreshAfter = 10 * time.Second
)

// Bounds of what is kept.
const (
	maxAskedAtOnce = 8        // actors; one that does not answer keeps its place for two minutes
	maxWaiting     = 256      // actors that wait to be asked
	maxModels      = 1000     // models in memory
	maxModelBytes  = 32 << 20 // of all models together, roughly
	maxReplies     = 10_000   // to one question
)

// Config says how [Models] asks actors.
type Config struct {
	// Now and After are the clock; nil is the real one.
	Now   func() time.Time
	After func(time.Duration, func()) (stop func() bool)
	// Send sends a question. Its replies come by [Models.Replied], and [Models.Unsent] is called
	// if it did not reach the actor. Send must not block. It is called without a lock.
	Send func(Question)
	// Changed is called, without a lock, when a model is known that somebody waited for in vain,
	// or one that somebody knows is no longer true.
	Changed func(actor string)
}

// Models holds what actors tell of themselves. It may be used by many goroutines.
type Models struct {
	cfg Config

	// mu guards the following fields.
	mu        sync.Mutex
	entries   map[string]*entry   // by actor
	questions map[string]*pending // by the command's id
	queue     []*entry            // wait to be asked
	running   int                 // are being asked
	bytes     int                 // of all models
	uses      uint64              // counts uses, for the order of entries
	stats     Stats
}

// entry is one actor.
type entry struct {
	actor    string
	model    *Model // the last one; nil if there is none, or it is no longer true
	finished time.Time
	notified time.Time // when a refused command last made the model untrue
	asking   *asking   // nil unless it is being asked, or waits for that
	question *pending  // the one that is being asked; nil while it waits
	waiting  []*waiter
	inVain   bool          // somebody was told "asking"
	again    time.Duration // after which it is asked again if it did not answer
	stopped  bool          // nobody listens to its commands, or that is not known: it may start anew
	used     uint64
}

// pending is a question whose answer has not come.
type pending struct {
	of      *entry
	got     answer
	room    int // bytes that may still be read
	replies int
	stop    func() bool
}

// waiter is somebody who waits for a model.
type waiter struct {
	answer func(*Model)
	stop   func() bool
}

// effects are what is done once the lock is free.
type effects []func()

func (e *effects) add(do func()) { *e = append(*e, do) }

func (e effects) run() {
	for _, do := range e {
		do()
	}
}

// New returns an empty Models.
func New(cfg Config) *Models {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = func(d time.Duration, do func()) func() bool { return time.AfterFunc(d, do).Stop }
	}
	if cfg.Changed == nil {
		cfg.Changed = func(string) {}
	}
	return &Models{cfg: cfg, entries: map[string]*entry{}, questions: map[string]*pending{}}
}

// Want calls answer once with the model of an actor: at once if it is known, otherwise when it
// is, and after five seconds with what is known by then. refresh asks the actor again, unless it
// was asked within the last ten seconds. answer is called without a lock, on any goroutine, perhaps
// before Want returns.
func (m *Models) Want(actor string, refresh bool, answer func(*Model)) {
	var do effects
	defer func() { do.run() }()
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entry(actor)
	if e.model != nil && !m.outdated(e, refresh) {
		known := e.model
		do.add(func() { answer(known) })
		if m.old(e) {
			m.begin(e, &do) // if too many are being asked, another time
		}
		return
	}
	if e.asking == nil && !m.begin(e, &do) {
		busy := e.model
		if busy == nil {
			delete(m.entries, actor)
			busy = &Model{Actor: actor, State: None, Asked: m.cfg.Now(), Problem: "Too many actors are being asked about their commands; ask again in a minute."}
		}
		do.add(func() { answer(busy) })
		return
	}
	w := &waiter{answer: answer}
	w.stop = m.cfg.After(patience, func() { m.giveUp(e, w) })
	e.waiting = append(e.waiting, w)
}

// entry returns the entry of an actor, which is made if there is none. mu is held.
func (m *Models) entry(actor string) *entry {
	e := m.entries[actor]
	if e == nil {
		e = &entry{actor: actor}
		m.entries[actor] = e
	}
	m.uses++
	e.used = m.uses
	return e
}

// outdated reports whether a model is not good enough as an answer. mu is held.
func (m *Models) outdated(e *entry, refresh bool) bool {
	age := m.cfg.Now().Sub(e.finished)
	return refresh && age >= refreshAfter || e.model.State != Known && e.model.unanswered() && age >= e.again
}

// old reports whether an actor is to be asked again although its model will do as an answer: it may
// have started anew so quickly that nobody noticed. mu is held.
func (m *Models) old(e *entry) bool {
	return e.asking == nil && m.cfg.Now().Sub(e.finished) >= checkAfter
}

// unanswered reports whether a question had no answer, so that another attempt may help.
func (m *Model) unanswered() bool { return m.Source == "" || m.State == None }

// giveUp answers somebody who has waited long enough with what is known.
func (m *Models) giveUp(e *entry, w *waiter) {
	var do effects
	defer func() { do.run() }()
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range e.waiting {
		if e.waiting[i] != w {
			continue
		}
		e.waiting = append(e.waiting[:i], e.waiting[i+1:]...)
		e.inVain = true
		partly := e.asking.result()
		do.add(func() { w.answer(partly) })
		return
	}
}

// begin begins to ask an actor, or queues it. It returns false if too many wait. mu is held.
func (m *Models) begin(e *entry, do *effects) bool {
	if m.running >= maxAskedAtOnce && len(m.queue) >= maxWaiting {
		return false
	}
	e.asking = &asking{model: Model{Actor: e.actor, Asked: m.cfg.Now()}}
	m.queue = append(m.queue, e)
	m.next(do)
	return true
}

// next asks those that wait, as long as not too many are being asked. mu is held.
func (m *Models) next(do *effects) {
	for m.running < maxAskedAtOnce && len(m.queue) > 0 {
		e := m.queue[0]
		m.queue[0] = nil
		m.queue = m.queue[1:]
		m.running++
		m.ask(e, do)
	}
}

// ask sends the next question to an actor, or ends the conversation. mu is held.
func (m *Models) ask(e *entry, do *effects) {
	words := e.asking.question()
	if words == "" {
		m.finish(e, do)
		return
	}
	q := Question{Actor: e.actor, CommandString: words, ID: newQuestionID()}
	p := &pending{of: e, room: maxAnswer}
	p.stop = m.cfg.After(answerWithin, func() {
		m.fail(q.ID, TimedOut, fmt.Sprintf("The actor has not answered %s within %v.", words, answerWithin), nil)
	})
	e.question = p
	m.questions[q.ID] = p
	m.stats.Asked++
	do.add(func() { m.cfg.Send(q) })
}

// finish stores the model, and answers those who wait for it. mu is held.
func (m *Models) finish(e *entry, do *effects) {
	made := e.asking.result()
	e.asking, e.question = nil, nil
	m.running--
	changed := e.model != nil && !same(e.model, made)
	m.store(e, made)
	e.finished, e.again = m.cfg.Now(), againAfter
	for _, w := range e.waiting {
		w.stop()
		do.add(func() { w.answer(made) })
	}
	if e.inVain || changed {
		do.add(func() { m.cfg.Changed(e.actor) })
	}
	e.waiting, e.inVain = nil, false
	m.next(do)
}

// same reports whether two models tell the same.
func same(a, b *Model) bool {
	return a.State == b.State && a.Source == b.Source && a.Problem == b.Problem && reflect.DeepEqual(a.Commands, b.Commands) && reflect.DeepEqual(a.Keywords, b.Keywords)
}

// store replaces the model of an entry, nil for none, and drops those that were not used for
// longest if there are too many. mu is held.
func (m *Models) store(e *entry, made *Model) {
	if e.model != nil {
		m.bytes -= e.model.size
	}
	if e.model = made; made != nil {
		m.bytes += made.size
	}
	for len(m.entries) > maxModels || m.bytes > maxModelBytes {
		var oldest *entry
		for _, of := range m.entries {
			if of.asking == nil && of != e && (oldest == nil || of.used < oldest.used) {
				oldest = of
			}
		}
		if oldest == nil {
			return
		}
		if oldest.model != nil {
			m.bytes -= oldest.model.size
		}
		delete(m.entries, oldest.actor)
	}
}
