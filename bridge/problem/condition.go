package problem

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// condition is the state of a condition of the site.
type condition struct {
	*site.Condition
	values  [][]byte // by reference; nil is unknown
	heard   []*heardReply
	senders []string // who said the value
	value   func(ref int) []byte
	beyond  *condition // see [site.Condition].Within

	holds  bool
	since  time.Time // when it began to hold
	seq    uint64    // of the reply that made it hold
	raised *entry    // the problem in an actor's list
	other  bool      // a value is another one since the condition was evaluated
}

// bindings are the conditions that look at an actor's keywords, by actor and keyword.
type bindings map[string]map[string][]binding

// binding is a reference of a condition to a keyword, or to a part of its value.
type binding struct {
	cond *condition
	ref  int
	path []string // members and items below the keyword
}

// maxValue bounds the value of a keyword that a condition compares, in bytes. A longer one is equal
// to nothing.
const maxValue = 1 << 10

var tooLong = []byte("{}")

// SetConditions replaces the conditions. One that stays the same keeps its state; the problem of one
// that is gone goes.
func (t *Tracker) SetConditions(all []*site.Condition) {
	defer t.lock()()
	t.advanceToNow()
	before := map[string]*condition{}
	for _, c := range t.conditions {
		before[c.Key] = c
	}
	values := t.knownValues()
	t.conditions = nil
	var fresh []*condition
	now := map[*site.Condition]*condition{}
	for _, def := range all {
		c := before[def.Key]
		if c == nil || !sameCondition(c.Condition, def) {
			c = newCondition(def)
			fresh = append(fresh, c)
			for ref, keyword := range def.When.Refs() {
				if v, ok := values[keyword]; ok {
					c.values[ref], c.heard[ref], c.senders[ref] = slices.Clone(v.value), v.heard, v.sender
				}
			}
		} else {
			delete(before, def.Key)
		}
		c.Condition = def
		if e := c.raised; e != nil && e.say() {
			t.changed(t.actors[e.Actor], false)
		}
		now[def] = c
		t.conditions = append(t.conditions, c)
	}
	for _, c := range t.conditions {
		c.beyond = now[c.Within]
	}
	for _, c := range before {
		if c.raised != nil {
			t.remove(t.actors[c.raised.Actor], c.raised)
		}
	}
	t.bindings = bindings{}
	for _, c := range fresh {
		t.evaluate(c, t.clock, t.seq)
	}
	t.sweep()
}

func newCondition(def *site.Condition) *condition {
	n := len(def.When.Refs())
	c := &condition{Condition: def, values: make([][]byte, n), heard: make([]*heardReply, n), senders: make([]string, n)}
	c.value = func(ref int) []byte { return c.values[ref] }
	return c
}

// sameCondition reports whether two conditions are raised by the same. Their texts may differ: a better
// wording neither raises anew what is acknowledged, nor ends what holds.
func sameCondition(a, b *site.Condition) bool {
	return a.When.String() == b.When.String() && a.Level == b.Level && a.For == b.For
}

// say gives the problem of a condition the text that its values have now, and reports whether that is
// another one.
func (e *entry) say() bool {
	text := e.cond.Said(e.Actor)
	if e.Active {
		text = e.cond.Says(e.Actor, e.cond.value)
	}
	if text == e.Text {
		return false
	}
	e.Text = text
	return true
}

// knownValue is the last value of a keyword that a condition looks at.
type knownValue struct {
	value  []byte
	heard  *heardReply
	sender string
}

func (t *Tracker) knownValues() map[string]knownValue {
	known := map[string]knownValue{}
	for _, c := range t.conditions {
		for ref, keyword := range c.When.Refs() {
			if c.values[ref] != nil {
				known[keyword] = knownValue{c.values[ref], c.heard[ref], c.senders[ref]}
			}
		}
	}
	return known
}

// bindingsOf returns the bindings of an actor, by keyword. mu is held.
func (t *Tracker) bindingsOf(sender string) map[string][]binding {
	if len(t.conditions) == 0 || len(sender) > maxName {
		return nil
	}
	if bound, ok := t.bindings[sender]; ok {
		return bound
	}
	var bound map[string][]binding
	for _, c := range t.conditions {
		for ref, keyword := range c.When.Refs() {
			rest, ok := strings.CutPrefix(keyword, sender)
			if !ok || len(rest) < 2 || rest[0] != '.' {
				continue
			}
			if bound == nil {
				bound = map[string][]binding{}
			}
			path := strings.Split(rest[1:], ".")
			bound[path[0]] = append(bound[path[0]], binding{c, ref, path[1:]})
		}
	}
	if bound != nil || len(t.bindings) < maxActors { // names without conditions are remembered, too, within bounds
		t.bindings[strings.Clone(sender)] = bound
	}
	return bound
}

// scan is the reading of the keywords of the current reply. It is a part of the tracker, so that a
// reply allocates nothing.
type scan struct {
	each    func(name, value []byte) bool // Tracker.noteKeyword
	reply   *Reply
	kept    *heardReply // a copy of it, if one is needed
	bound   map[string][]binding
	touched []*condition
}

// noteKeywords notes the values that conditions look at. mu is held.
func (t *Tracker) noteKeywords(r *Reply) {
	s := &t.scan
	if s.bound = t.bindingsOf(r.Sender); s.bound == nil {
		return
	}
	s.reply, s.touched = r, s.touched[:0]
	r.Keywords(s.each)
	for _, c := range s.touched {
		t.evaluate(c, r.Heard, r.Seq)
	}
	s.reply, s.kept = nil, nil
}

// noteKeyword notes the value of a keyword of the current reply.
func (t *Tracker) noteKeyword(name, value []byte) bool {
	s := &t.scan
	bound := s.bound[string(name)]
	for i := range bound {
		b := &bound[i]
		raw := member(value, b.path)
		if raw == nil {
			continue
		}
		if len(raw) > maxValue {
			raw = tooLong
		}
		c := b.cond
		same := c.values[b.ref] != nil && bytes.Equal(c.values[b.ref], raw)
		c.values[b.ref] = append(c.values[b.ref][:0], raw...)
		if c.senders[b.ref] != s.reply.Sender {
			c.senders[b.ref] = strings.Clone(s.reply.Sender)
		}
		if t.cfg.Views {
			if s.kept == nil {
				s.kept = t.kept(s.reply, c.heard[b.ref])
			}
			c.heard[b.ref] = s.kept
		}
		c.other = c.other || !same
		if (!same || c.holds) && !slices.Contains(s.touched, c) {
			s.touched = append(s.touched, c)
		}
	}
	return true
}

// member returns the part of a value at a path of members and items; nil if there is none.
func member(value []byte, path []string) []byte {
	for _, step := range path {
		if len(value) > 0 && value[0] == '[' {
			value = item(value, step)
		} else {
			value = field(value, step)
		}
		if value == nil {
			return nil
		}
	}
	return value
}

func field(object []byte, name string) []byte {
	members := jsonscan.MembersOf(object)
	for {
		key, value, ok := members.Next()
		if !ok {
			return nil
		}
		if string(key) == name {
			return value
		}
	}
}

func item(list []byte, index string) []byte {
	n, ok := number(index)
	if !ok {
		return nil
	}
	for value := range jsonscan.Elements(list) {
		if n == 0 {
			return value
		}
		n--
	}
	return nil
}

func number(text string) (n int, ok bool) {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' || n > 1e6 {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, text != ""
}

// evaluate evaluates a condition after a reply. mu is held.
func (t *Tracker) evaluate(c *condition, at time.Time, seq uint64) {
	switch c.When.Eval(c.value) {
	case site.True:
		if !c.holds {
			c.holds, c.since, c.seq, t.waits = true, at, seq, true
		}
		t.raiseIfDue(c, at)
		if e := c.raised; e != nil && e.Active {
			e.Time = later(e.Time, at) // that it holds still is no change
			t.needs(e, c)
		}
	case site.False:
		if c.holds {
			t.raiseIfDue(c, at) // it may have been time since the last reply
		}
		c.holds = false
		if e := c.raised; e != nil && e.Active {
			t.end(e, at)
		}
	}
	if e := c.raised; c.other && e != nil && e.say() {
		t.changed(t.actors[e.Actor], true)
	}
	c.other = false
}

// raiseIfDue raises the problem of a condition that has held for its time.
func (t *Tracker) raiseIfDue(c *condition, now time.Time) {
	if !c.holds || c.raised != nil && c.raised.Active || now.Sub(c.since) < c.For {
		return
	}
	if c.raised != nil && c.raised.over(c.since.Add(c.For)) { // this may be some time after
		t.remove(t.actors[c.raised.Actor], c.raised)
	}
	if c.raised != nil { // it is listed as ended
		t.raiseAgain(c.raised, c.since, c.seq)
		t.needs(c.raised, c)
		return
	}
	at := slices.IndexFunc(c.senders, func(sender string) bool { return sender != "" })
	a := t.actor(c.senders[at], c.Level)
	if a == nil {
		t.omitted++
		return
	}
	c.raised = &entry{raised: c.seq, cond: c, Problem: Problem{
		Actor: a.name, Key: c.Key, Kind: Condition, Level: c.Level, Keyword: c.When.Refs()[at],
		Began: c.since, Time: c.since, Count: 1, Seq: c.seq, Active: true,
	}}
	c.raised.say()
	t.needs(c.raised, c)
	t.list(a, c.raised)
}

// needs makes the replies that tell the values those that tell of the problem.
func (t *Tracker) needs(e *entry, c *condition) {
	if !t.cfg.Views {
		return
	}
	all := slices.DeleteFunc(slices.Clone(c.heard), func(h *heardReply) bool { return h == nil })
	if !slices.Equal(all, e.needs) {
		e.needs = all
	}
}

// list adds a problem to those of an actor.
func (t *Tracker) list(a *actor, e *entry) {
	t.takeEarlyAck(a, e)
	a.problems[e.Key] = e
	t.changed(a, false)
}

// raiseAgain raises a problem anew that is listed as ended.
func (t *Tracker) raiseAgain(e *entry, at time.Time, seq uint64) {
	e.Active, e.ended, e.Acked = true, time.Time{}, nil
	e.Began, e.Time, e.Seq, e.raised = at, later(e.Time, at), seq, seq
	e.Count++
	if e.cond != nil {
		e.say()
	}
	a := t.actors[e.Actor]
	t.takeEarlyAck(a, e)
	t.changed(a, false)
}

// end ends a problem that holds no longer.
func (t *Tracker) end(e *entry, at time.Time) {
	e.Active, e.ended = false, at
	a := t.actors[e.Actor]
	if e.hovers() && e.Acked != nil {
		a.remember(e.Key, earlyAck{Acked: *e.Acked, ended: at})
	}
	if e.over(t.clock) {
		t.remove(a, e)
		return
	}
	t.changed(a, false)
}

// within reports whether the value is beyond the critical limit, too, which is told.
func (c *condition) within() bool {
	return c != nil && c.beyond != nil && c.beyond.raised != nil && c.beyond.raised.Active
}
