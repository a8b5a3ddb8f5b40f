package socketshark

import (
	"encoding/json"
	"slices"

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
	t.d.host.Resuming.Begin(t.path, rooms.FormatSocketShark, *sub.since, func(missed []*rooms.Message, a rooms.Answer) {
		t.begin(sub)
		t.mu.Lock()
		defer t.mu.Unlock()
		sub.resumed = a
		if len(missed) > maxProvisional {
			sub.cannotResume()
			return
		}
		for _, published := range missed {
			if m, err := t.parseMessage(published); err == nil { // otherwise it was no message then either
				sub.keep(m)
			}
		}
		if sub.missed {
			sub.cannotResume()
		}
	})
}

// cannotResume forgets what was missed, because it is too much. topic.mu is held.
func (sub *subscription) cannotResume() {
	sub.forget()
	resumed := false
	sub.resumed.Resumed, sub.resumed.Reason = &resumed, "too many messages were missed"
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
