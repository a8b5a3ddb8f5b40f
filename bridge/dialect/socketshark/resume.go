package socketshark

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// SocketShark has nothing by which a page could get what it missed while it was away. Here, a page that
// subscribes with the field since, "now" at first, gets the place of each message in it, and gives the
// last one when it subscribes again.

// placeField is the name of the field.
const placeField = "since"

// place returns the place that a subscribe event gives, or nil. A field of the application's is none.
func (e *event) place() (*rooms.Since, error) {
	text, ok := textOf(e.fields.get(placeField))
	if !ok || slices.Contains(e.sub.service.ExtraFields, placeField) {
		return nil, nil
	}
	s, err := e.session.d.host.Resuming.Given(text)
	if err != nil {
		return nil, refused(err.Error())
	}
	return s, nil
}

// resume keeps for a subscription what it has missed, and then what is published until it is confirmed.
func (t *topic) resume(sub *subscription) {
	t.d.host.Resuming.Begin(t.path, rooms.FormatSocketShark, *sub.since, func(missed rooms.Missed) {
		t.begin(sub)
		t.mu.Lock()
		defer t.mu.Unlock()
		sub.resumed = missed.Answer
		if sub.missed = len(missed.Messages) > maxProvisional; !sub.missed {
			for _, m := range t.parseAll(missed.Messages) {
				sub.keep(m)
			}
		}
		if sub.missed {
			sub.forget()
			sub.resumed.Lose("too many messages were missed")
			return
		}
		sub.had = t.parseAll(ordered(missed.Had))
	})
}

// parseAll parses what was published. What is no message was none when it was published, either.
func (t *topic) parseAll(published []*rooms.Message) (all []*message) {
	for _, p := range published {
		if m, err := t.parseMessage(p); err == nil {
			all = append(all, m)
		}
	}
	return all
}

// ordered returns the last of some messages that may have an order.
func ordered(all []*rooms.Message) (some []*rooms.Message) {
	for _, m := range slices.Backward(all) {
		if len(some) == maxProvisional {
			break
		}
		if bytes.Contains(m.Whole, []byte(`"options"`)) {
			some = append(some, m)
		}
	}
	return some
}

// tellGap tells the subscriptions whose messages have places that messages may have been lost between
// two times. One that is not confirmed yet is told in the answer.
func (t *topic) tellGap(from, to time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for sub := range t.provisional {
		if sub.since != nil {
			sub.resumed.Lose("messages of its source may have been lost meanwhile")
		}
	}
	times := protocol.GapOf(from, to)
	for _, g := range t.groups {
		if !g.placed {
			continue
		}
		o := object{{"event", quoted("gap")}, {"subscription", quoted(t.name)}, {"from", protocol.JSON(times.From)}, {"to", quoted(times.To)}}
		o.update(g.extra)
		f := engine.Text(string(o.encode()))
		for _, c := range g.cohorts {
			c.send(f)
		}
	}
}

// addPlace adds to the answer where a subscription is.
func (sub *subscription) addPlace(o *object) {
	if sub.since == nil {
		return
	}
	if a := sub.resumed; a.Resumed != nil {
		text, _ := json.Marshal(*a.Resumed) // a bool can be encoded
		o.set("resumed", text)
		if a.Reason != "" {
			o.set("reason", quoted(a.Reason))
		}
	}
	o.set(placeField, quoted(sub.resumed.Since))
}
