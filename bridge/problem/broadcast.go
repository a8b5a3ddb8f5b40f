package problem

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// broadcastKey is the routing key of what an actor sends to all; see clu.actor.
const broadcastKey = "reply.broadcast"

// levelOf returns how bad it is what a reply says of its actor; see the package.
func levelOf(r *filter.Reply) site.Level {
	switch r.Code {
	case "!":
		return site.Critical
	case "w":
		if isBroadcast(r) {
			return site.Warn
		}
	case "e":
		if isBroadcast(r) {
			return site.Error
		}
	case "f":
		if r.CommandID == "" || ownCommand(r) {
			return site.Error
		}
	}
	return site.None
}

func isBroadcast(r *filter.Reply) bool {
	return r.CommandID == "" || r.RoutingKey == broadcastKey || ownCommand(r)
}

// ownCommand reports whether a reply is to a command that the actor gave itself: the commander of
// CLU's timed commands is ".ACTOR", and of commands that an actor sends to itself "ACTOR.ACTOR".
func ownCommand(r *filter.Reply) bool {
	commander, ok := strings.CutSuffix(r.Commander, r.Sender)
	if !ok || r.Sender == "" || !strings.HasSuffix(commander, ".") {
		return false
	}
	commander = strings.TrimSuffix(commander, ".")
	return commander == "" || commander == r.Sender
}

// noteBroadcast adds what an actor says of itself to its problems. mu is held.
func (t *Tracker) noteBroadcast(r *Reply, level site.Level) {
	a := t.actor(r.Sender, level)
	if a == nil {
		t.omitted++
		return
	}
	text := textOf(r.Body)
	key := keyOf(r, sameText(text))
	e := a.problems[key]
	if e != nil && e.over(t.clock) {
		t.remove(a, e)
		e = nil
	}
	if e != nil {
		e.Text = shorten(text)
		e.Count++
		e.Seq = max(e.Seq, r.Seq)
		e.Time = later(e.Time, r.Heard)
		t.keepReply(e, 0, r)
		t.changed(a, true)
		return
	}
	e = &entry{raised: r.Seq, shape: shapeOf(text), Problem: Problem{
		Actor: a.name, Key: key, Kind: Broadcast, Level: level, Code: strings.Clone(r.Code), Text: shorten(text),
		Began: r.Heard, Time: r.Heard, Count: 1, Seq: r.Seq,
	}}
	t.takeEarlyAck(a, e)
	if !t.makeRoomOf(a, e) {
		a.drop(e)
		t.changed(a, true)
		return
	}
	e.needs = make([]*heardReply, 1)
	t.keepReply(e, 0, r)
	a.problems[key] = e
	a.broadcasts++
	t.changed(a, false)
}

// makeRoomOf makes room for another broadcast of an actor, unless all others are more urgent.
func (t *Tracker) makeRoomOf(a *actor, e *entry) bool {
	if a.broadcasts < maxBroadcasts {
		return true
	}
	var least *entry
	for _, other := range a.problems {
		if other.Kind == Broadcast && (least == nil || lessUrgent(other, least) < 0) {
			least = other
		}
	}
	if lessUrgent(e, least) < 0 {
		return false
	}
	least = a.ofMany(least, e)
	a.drop(least)
	omitted := a.omitted
	t.remove(a, least)
	a.omitted = omitted
	return true
}

// ofMany returns the broadcast that goes for lack of room: of those that are as urgent as the least, the
// oldest of the texts that differ in their numbers only. So an alarm that says another temperature every
// second does not push out another alarm.
func (a *actor) ofMany(least, added *entry) *entry {
	as := func(e *entry) bool {
		return e.Kind == Broadcast && e.Level == least.Level && (e.Acked == nil) == (least.Acked == nil)
	}
	counts := map[uint64]int{added.shape: 1}
	for _, e := range a.problems {
		if as(e) {
			counts[e.shape]++
		}
	}
	goes, most := least, 1
	for _, e := range a.problems {
		if n := counts[e.shape]; as(e) && (n > most || n == most && lessUrgent(e, goes) < 0) {
			goes, most = e, n
		}
	}
	return goes
}

// drop counts a broadcast that is not listed for lack of room. One that is acknowledged is not raised
// anew if it is said again soon.
func (a *actor) drop(e *entry) {
	if e.Acked == nil {
		a.omitted++
		return
	}
	a.remember(e.Key, earlyAck{Acked: *e.Acked, seq: e.raised, same: true})
}

// lessUrgent orders the problems of an actor by which of them goes first.
func lessUrgent(a, b *entry) int { return -Compare(a.copy(), b.copy()) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// keyOf returns the key of a text that a reply says. It depends on everything on which it may depend
// who may hear the reply, except the id of a command, so that of two replies with the same key a
// client may hear either both or none.
func keyOf(r *Reply, text string) string {
	h := sha256.New()
	add := func(part []byte) {
		h.Write(part)
		h.Write([]byte{0})
	}
	internal := "0"
	if r.Internal {
		internal = "1"
	}
	for _, part := range []string{r.Code, r.RoutingKey, r.Commander, internal, text} {
		add([]byte(part))
	}
	r.Keywords(func(name, _ []byte) bool {
		add(name)
		return true
	})
	return "broadcast:" + hex.EncodeToString(h.Sum(nil)[:8])
}
