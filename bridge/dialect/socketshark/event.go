package socketshark

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// The texts of errors, which pages may know.
const (
	textInvalidEvent    = "Messages must be JSON and contain an event field."
	textUnhandled       = "Unhandled exception."
	textNoEvent         = "Event not found."
	textUnavailable     = "Service unavailable."
	textMethod          = "Authentication method unsupported."
	textUnauthorized    = "Unauthorized."
	textNeedsTicket     = "Must specify ticket."
	textAuthFailed      = "Authentication failed."
	textAuthRequired    = "Authentication required."
	textFormat          = "Invalid subscription format."
	textInvalidService  = "Invalid service."
	textSubscribed      = "Already subscribed."
	textNotSubscribed   = "Subscription does not exist."
	textTooManyMessages = "Too many messages came meanwhile; subscribe again."
)

const (
	maxEventName = 40   // characters
	maxPongData  = 128  // characters
	maxName      = 1024 // bytes of a subscription's name
	maxExtra     = 16 << 10
	maxHeld      = 4 << 20 // bytes of the names and extra fields of a client's subscriptions
)

// refusal is an error for the client.
type refusal struct{ text, data json.RawMessage }

func (r *refusal) Error() string { return string(r.text) }

func refused(text string) error { return &refusal{text: quoted(text)} }

// event is what a client has sent.
type event struct {
	session *session
	item    item
	name    string
	fields  object
	valid   bool
	// sub is what the event is about: a subscription that there is, or one that there is not yet. It
	// is nil without a subscription.
	sub *subscription
}

// parse parses an event. busy is set.
func (s *session) parse(it item) *event {
	e := &event{session: s, item: it}
	if it.task != nil {
		return e
	}
	o, ok := parseObject(it.event)
	if !ok {
		return e
	}
	name, ok := textOf(o.get("event"))
	if !ok || utf8.RuneCountInString(name) > maxEventName {
		return e
	}
	e.name, e.fields, e.valid = name, o, true
	if name == "subscribe" || name == "message" || name == "unsubscribe" {
		e.sub = s.subscriptionOf(o)
	}
	return e
}

// asks reports whether the event may ask a backend.
func (e *event) asks() bool {
	switch {
	case !e.valid || e.session.isRefusing():
		return false
	case e.name == "auth":
		return true
	case e.sub == nil || e.sub.service == nil:
		return false
	case e.sub.hasEnded() || e.sub.service.AuthorizationRenewalPeriod > 0 && e.sub.service.asksOnUnsubscribe:
		return true // a subscription that is not renewed may end at any time, and its backend is told then
	case e.name == "subscribe":
		return e.sub.service.asksOnSubscribe
	case e.name == "message":
		return e.sub.service.OnMessage != ""
	}
	return e.sub.service.asksOnUnsubscribe
}

// handle handles an event and answers it.
func (e *event) handle() {
	s := e.session
	if s.isRefusing() {
		return
	}
	if !e.valid {
		s.send(object{{"status", quoted("error")}, {"error", quoted(textInvalidEvent)}})
		return
	}
	if e.name == "ping" {
		s.send(object{{"event", quoted("pong")}, {"data", pongData(e.fields.get("data"))}})
		return
	}
	if err := e.process(); err != nil {
		e.sendError(err)
	}
}

func (e *event) process() error {
	switch e.name {
	case "auth":
		return e.auth()
	case "subscribe", "message", "unsubscribe":
		if e.sub == nil {
			return refused(textFormat)
		}
		if err := e.sub.check(); err != nil {
			return err
		}
	default:
		return refused(textNoEvent)
	}
	switch e.name {
	case "subscribe":
		return e.subscribe()
	case "message":
		return e.message()
	}
	return e.unsubscribe()
}

// pongData returns the data of a pong.
func pongData(v json.RawMessage) json.RawMessage {
	text, ok := textOf(v)
	if !ok {
		return json.RawMessage("null")
	}
	if runes := []rune(text); len(runes) > maxPongData {
		text = string(runes[:maxPongData])
	}
	return quoted(text)
}

// sendOK answers the event. data may be nil or null.
func (e *event) sendOK(data json.RawMessage) { e.session.send(e.ok(data)) }

func (e *event) ok(data json.RawMessage) object {
	o := object{{"event", quoted(e.name)}, {"status", quoted("ok")}}
	o.update(e.extra())
	if len(data) > 0 && string(data) != "null" {
		o.set("data", data)
	}
	e.addName(&o)
	return o
}

// sendError answers the event with an error. Unless it is a refusal, the connection is closed.
func (e *event) sendError(err error) {
	r := &refusal{text: quoted(textUnhandled)}
	known := errors.As(err, &r)
	o := object{{"event", quoted(e.name)}, {"status", quoted("error")}, {"error", r.text}}
	o.update(e.extra())
	if r.data != nil {
		o.set("data", r.data)
	}
	e.addName(&o)
	e.session.send(o)
	if !known {
		e.session.fail()
	}
}

func (e *event) extra() object {
	if e.sub == nil {
		return nil
	}
	return e.sub.extra
}

// addName adds the subscription's name, as it was sent.
func (e *event) addName(o *object) {
	if e.sub != nil && e.sub.name != "" {
		o.set("subscription", quoted(e.sub.name))
	}
}

// auth logs the client in.
func (e *event) auth() error {
	s, ticket := e.session, e.session.d.cfg.Authentication.Ticket
	method, isText := textOf(e.fields.get("method"))
	if ticket == nil || e.fields.get("method") != nil && (!isText || method != "ticket") {
		return refused(textMethod)
	}
	given := e.fields.get("ticket")
	if isFalse(given) {
		return refused(textNeedsTicket)
	}
	answer, err := s.d.post(callback{url: ticket.ValidationURL, data: object{{"ticket", given}}, gone: s.gone})
	if errors.Is(err, errUnavailable) {
		return refused(textUnavailable)
	}
	if err != nil {
		return err
	}
	if !isOK(answer) {
		return &refusal{text: textOr(answer.get("error"), textAuthFailed)}
	}
	info := answer.pick(ticket.AuthFields)
	for _, f := range ticket.AuthFields {
		if answer.get(f) == nil {
			s.d.failures.Note("an answer lacks a field", "url", scrub(ticket.ValidationURL), "error", fmt.Sprintf("there is no field %s of auth-fields", f))
			return errUnusable
		}
	}
	s.logIn(info)
	e.sendOK(nil)
	return nil
}

// isOK reports whether an answer says that all is well.
func isOK(answer object) bool {
	status, _ := textOf(answer.get("status"))
	return status == "ok"
}

// textOr returns an error's text that a backend has given, or another.
func textOr(given json.RawMessage, otherwise string) json.RawMessage {
	if given == nil {
		return quoted(otherwise)
	}
	return slices.Clone(given)
}
