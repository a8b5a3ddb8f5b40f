package problem

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// Ack is an acknowledgement, as bridges publish it on the actors' exchange.
type Ack struct {
	Actor string   `json:"actor"`
	Keys  []string `json:"keys"`
	// Seq is the number of the reply up to which the operator had heard, and Epoch which numbers
	// these are.
	Seq   uint64 `json:"seq"`
	Epoch string `json:"epoch"`
	By    string `json:"by,omitempty"` // "" is not known
}

// AckKeyword is the only keyword of the broadcast with an acknowledgement.
const AckKeyword = "clu_ws_ack"

// Bounds of an acknowledgement.
const (
	maxAckKeys  = 1024
	maxAckBytes = 512 << 10
)

// Body returns the body of the broadcast.
func (a *Ack) Body() []byte {
	body, err := json.Marshal(map[string]*Ack{AckKeyword: a})
	if err != nil {
		panic("problem: an acknowledgement is no JSON: " + err.Error()) // texts and numbers always are
	}
	return body
}

// errNoAck is returned for a body that is not meant to be an acknowledgement.
var errNoAck = errors.New("the body has another keyword than " + AckKeyword)

// ParseAck reads the body of a broadcast. It trusts nothing in it.
func ParseAck(body []byte) (a Ack, err error) {
	if len(body) > maxAckBytes {
		return a, fmt.Errorf("the acknowledgement has %d bytes", len(body))
	}
	var whole map[string]json.RawMessage
	if json.Unmarshal(body, &whole) != nil || len(whole) != 1 || whole[AckKeyword] == nil {
		return a, errNoAck
	}
	d := json.NewDecoder(bytes.NewReader(whole[AckKeyword]))
	if err := d.Decode(&a); err != nil {
		return Ack{}, fmt.Errorf("the acknowledgement is not understood: %w", err)
	}
	long := func(text string) bool { return len(text) > maxKey || !utf8.ValidString(text) }
	switch {
	case a.Actor == "" || long(a.Actor) || long(a.Epoch) || long(a.By):
		return Ack{}, errors.New("the acknowledgement names no actor, or has a text that is too long")
	case len(a.Keys) > maxAckKeys || slices.ContainsFunc(a.Keys, func(key string) bool { return key == "" || long(key) }):
		return Ack{}, errors.New("the acknowledgement has too many keys, or one that is too long")
	}
	return a, nil
}

// maxKey is the length of the longest key of a problem, in bytes: that of a limit of the longest
// keyword.
const maxKey = 300

// ShortName returns the name of who acknowledges, cut to what an acknowledgement may hold.
func ShortName(name string) string {
	if len(name) <= maxKey {
		return name
	}
	return strings.ToValidUTF8(name[:maxKey], "")
}

// ErrNoProblem is returned for an acknowledgement of a problem that is not listed.
var ErrNoProblem = errors.New("there is no such problem")

// Prepare returns the acknowledgement of an actor's problems of which a client may know that hears a
// view: those that were raised up to a number, nil being the last, and if key is not "" only this
// one. It has no keys if all are acknowledged already.
func (t *Tracker) Prepare(name, key string, seq *uint64, v *filter.View) (Ack, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ack := Ack{Actor: name, Seq: t.seq, Epoch: t.cfg.Epoch}
	if seq != nil {
		ack.Seq = min(*seq, t.seq)
	}
	a := t.actors[name]
	known := false
	if a != nil {
		for _, e := range a.problems {
			if key != "" && e.Key != key || !e.visible(v) {
				continue
			}
			known = true
			if e.Acked == nil && e.raised <= ack.Seq {
				ack.Keys = append(ack.Keys, e.Key)
			}
		}
	}
	if key != "" && !known {
		return ack, ErrNoProblem
	}
	slices.Sort(ack.Keys)
	ack.Keys = ack.Keys[:min(len(ack.Keys), maxAckKeys)]
	return ack, nil
}

// earlyAck is an acknowledgement of a problem that is not listed.
type earlyAck struct {
	Acked
	seq  uint64
	same bool // the number is of this bridge's epoch
	// ended is when the condition ended that was acknowledged. Zero for what was not listed.
	ended time.Time
}

// flapsFor is how soon a condition that only tests bounds must hold again so that what was acknowledged
// of it still is: a value that hovers about its limit would announce itself every second.
const flapsFor = time.Minute

// hovers reports whether the problem is that a number is beyond a bound, about which it may hover. Any
// other condition that holds again is news, however soon.
func (e *entry) hovers() bool { return e.cond != nil && e.cond.When.OnlyBounds() }

// Acked notes an acknowledgement that came from the exchange, as a reply with this number.
func (t *Tracker) Acked(ack Ack, heard time.Time, seq uint64) {
	defer t.lock()()
	if t.recording != nil && !t.recording.full {
		t.recording.add(recorded{ack: &ack, Reply: Reply{Heard: heard, Seq: seq}}, len(ack.Keys)*40)
	}
	t.advance(heard)
	t.sweepIfDue()
	t.seq = max(t.seq, seq)
	a := t.actor(ack.Actor, 0)
	if a == nil {
		return
	}
	early := earlyAck{Acked: Acked{ack.By, heard}, seq: min(ack.Seq, seq), same: ack.Epoch == t.cfg.Epoch}
	for _, key := range ack.Keys {
		e := a.problems[key]
		switch {
		case e == nil:
			a.remember(key, early)
		case e.Acked == nil && (!early.same || e.raised <= early.seq):
			e.Acked = &Acked{ack.By, heard}
			if e.hovers() && !e.Active {
				a.remember(key, earlyAck{Acked: *e.Acked, ended: e.ended})
			}
			if e.over(t.clock) {
				t.remove(a, e)
			} else {
				t.changed(a, false)
			}
		}
	}
	if a.worst() == 0 {
		a.omitted = 0
	}
}

// remember remembers an acknowledgement of a problem that is not listed, in place of the oldest if
// there are too many.
func (a *actor) remember(key string, ack earlyAck) {
	if a.acks == nil {
		a.acks = map[string]earlyAck{}
	}
	if _, known := a.acks[key]; !known && len(a.acks) >= maxEarlyAcks {
		oldest := ""
		for k, other := range a.acks {
			if o := a.acks[oldest]; oldest == "" || other.Time.Before(o.Time) || other.Time.Equal(o.Time) && k < oldest {
				oldest = k
			}
		}
		delete(a.acks, oldest)
	}
	a.acks[key] = ack
	a.quietUntil = time.Time{}
}

// forgetAcks forgets old acknowledgements of what is not listed, and returns when the next is old.
func (a *actor) forgetAcks(now time.Time) (next time.Time) {
	next = never
	for key, ack := range a.acks {
		if old := ack.until(); now.After(old) {
			delete(a.acks, key)
		} else {
			next = earlier(next, old)
		}
	}
	return next
}

// until returns when an acknowledgement of what is not listed is forgotten.
func (a *earlyAck) until() time.Time {
	if !a.ended.IsZero() {
		return a.ended.Add(flapsFor)
	}
	return a.Time.Add(lostAckFor)
}

// covers reports whether a problem that is raised now is acknowledged already.
func (a *earlyAck) covers(e *entry) bool {
	switch {
	case !a.ended.IsZero():
		return e.Began.Sub(a.ended) <= flapsFor
	case a.same && e.raised <= a.seq:
		return true
	}
	return e.Kind == Broadcast && e.Began.Sub(a.Time) <= ackedFor
}

// takeEarlyAck acknowledges a problem that is raised if that was done already. mu is held.
func (t *Tracker) takeEarlyAck(a *actor, e *entry) {
	ack, ok := a.acks[e.Key]
	if !ok {
		return
	}
	delete(a.acks, e.Key)
	if ack.covers(e) {
		e.Acked = &Acked{ack.By, ack.Time}
	}
}
