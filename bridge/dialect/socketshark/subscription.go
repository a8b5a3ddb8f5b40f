package socketshark

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// subscription is a client's subscription to a topic. Which locks guard its fields is said there.
type subscription struct {
	session *session
	name    string
	service *service     // nil if there is none
	extra   object       // the extra fields of its subscribe event
	number  uint64       // the order of a client's subscriptions
	topic   *topic       // nil until it is authorized
	since   *rooms.Since // its place when it began, if its messages have places

	// session.mu guards the following fields.
	authorized    object // the authorizer's fields
	isAuthorized  bool
	authorizedAt  time.Time
	ended         bool
	endedBy       json.RawMessage // the error that ended it, if the client did not
	stopRenewal   func() bool
	stopHeartbeat func() bool

	// topic.mu guards the following fields.
	cohort    *cohort
	index     int        // among the cohort's members
	kept      []*message // until it is confirmed
	keptBytes int
	missed    bool // not all could be kept
	resumed   rooms.Answer
	had       []*message // what the client may have had before its place, until it is confirmed
}

// subscriptionOf returns the subscription that an event is about; nil if it names none. busy is set.
func (s *session) subscriptionOf(fields object) *subscription {
	name, _ := textOf(fields.get("subscription"))
	if name == "" {
		return nil
	}
	if sub := s.subscriptions[name]; sub != nil {
		return sub
	}
	sub := &subscription{session: s, name: name}
	if before, _, ok := strings.Cut(name, "."); ok {
		sub.service = s.d.services[before]
	}
	if sub.service != nil {
		sub.extra = fields.pick(sub.service.ExtraFields)
	}
	return sub
}

// check checks a subscription's name.
func (sub *subscription) check() error {
	before, after, _ := strings.Cut(sub.name, ".")
	switch {
	case before == "" || after == "" || len(sub.name) > maxName:
		return refused(textFormat)
	case sub.service == nil:
		return refused(textInvalidService)
	}
	return nil
}

// subscribe handles the event subscribe.
func (e *event) subscribe() error {
	s, sub := e.session, e.sub
	_, loggedIn := s.identity()
	switch {
	case sub.service.authRequired && !loggedIn:
		return refused(textAuthRequired)
	case sub.hasEnded():
		sub.expire()
		e.sub = s.subscriptionOf(e.fields)
		return e.subscribe()
	case s.subscriptions[sub.name] != nil:
		return refused(textSubscribed)
	case len(s.subscriptions) >= s.d.cfg.MaxSubscriptions:
		return refused(fmt.Sprintf("You have %d subscriptions, which is the limit.", len(s.subscriptions)))
	case len(sub.extra.encode()) > maxExtra:
		return refused("The extra fields are too long.")
	case s.held+sub.size() > maxHeld:
		return refused("The names and extra fields of your subscriptions are too long together.")
	}
	var err error
	if sub.since, err = e.place(); err != nil {
		return err
	}
	answer, err := sub.ask(sub.service.Authorizer, textUnauthorized)
	if err != nil {
		return err
	}
	sub.authorize(answer)
	sub.topic = s.d.enter(sub.name, sub.service)
	switch {
	case sub.since != nil:
		sub.topic.resume(sub)
	case sub.service.BeforeSubscribe != "":
		sub.topic.begin(sub)
	}
	if answer, err = sub.ask(sub.service.BeforeSubscribe, textUnhandled); err != nil {
		sub.end()
		return err
	}
	own := sub.own()
	ok := func() engine.Frame {
		o := e.ok(sub.dataFor(answer, own))
		sub.addPlace(&o)
		return engine.Text(string(o.encode()))
	}
	if !sub.topic.confirm(sub, own, answer, ok) {
		sub.end()
		sub.tellEnd() // the backend has consented
		return refused(textTooManyMessages)
	}
	s.add(sub)
	sub.startTimers()
	sub.inform(sub.service.OnSubscribe)
	return nil
}

// size returns about how many bytes of the client's are kept for the subscription.
func (sub *subscription) size() int { return len(sub.name) + len(sub.extra.encode()) }

// add adds a subscription.
func (s *session) add(sub *subscription) {
	if s.subscriptions == nil {
		s.subscriptions = map[string]*subscription{}
	}
	s.subscribed++
	sub.number = s.subscribed
	s.subscriptions[sub.name] = sub
	s.held += sub.size()
	s.d.host.Metrics.Subscriptions(1)
}

// drop removes a subscription.
func (s *session) drop(sub *subscription) {
	delete(s.subscriptions, sub.name)
	s.held -= sub.size()
	s.d.host.Metrics.Subscriptions(-1)
}

// own returns the fields that filter messages, of those that the subscription has.
func (sub *subscription) own() (own object) {
	s := sub.session
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range sub.service.FilterFields {
		from := s.authInfo
		switch {
		case slices.Contains(sub.service.ExtraFields, f):
			from = sub.extra
		case slices.Contains(sub.service.AuthorizerFields, f):
			from = sub.authorized
		}
		own.set(f, from.get(f))
	}
	return own
}

// dataFor returns the data of an answer if its fields are the client's.
func (sub *subscription) dataFor(answer, own object) json.RawMessage {
	for f, value := range filtersOf(answer, sub.service.FilterFields) {
		if canonical(own.get(f)) != value {
			return nil
		}
	}
	return answer.get("data")
}

// message handles the event message.
func (e *event) message() error {
	if err := e.find(); err != nil {
		return err
	}
	if e.item.late > 0 {
		return refused(fmt.Sprintf("The message was not passed on: the server stood still for %.1f s.", e.item.late.Seconds()))
	}
	if waited := e.session.d.host.Now().Sub(e.item.at); waited > maxQueuedFor {
		return refused(fmt.Sprintf("The message was not passed on: it waited for %.1f s.", waited.Seconds()))
	}
	data := e.fields.get("data")
	if data == nil {
		data = json.RawMessage("null")
	}
	answer, err := e.sub.pass(e.sub.service.OnMessage, data, e.item.at.Add(maxQueuedFor))
	if err != nil {
		return err
	}
	if data := answer.get("data"); data != nil {
		e.sendOK(data)
	}
	return nil
}

// unsubscribe handles the event unsubscribe.
func (e *event) unsubscribe() error {
	if err := e.find(); err != nil {
		return err
	}
	sub := e.sub
	answer, err := sub.ask(sub.service.BeforeUnsubscribe, textUnhandled)
	if err != nil {
		return err
	}
	if sub.hasEnded() { // meanwhile, by its authorizer
		sub.expire()
		return refused(textNotSubscribed)
	}
	e.session.drop(sub)
	sub.end()
	e.sendOK(answer.get("data"))
	sub.inform(sub.service.OnUnsubscribe)
	return nil
}

// find fails if the event's subscription does not exist.
func (e *event) find() error {
	sub := e.sub
	if sub.hasEnded() {
		sub.expire()
	}
	if e.session.subscriptions[sub.name] != sub {
		return refused(textNotSubscribed)
	}
	return nil
}

// describe returns what a backend is told about the subscription.
func (sub *subscription) describe() object {
	sub.session.mu.Lock()
	defer sub.session.mu.Unlock()
	o := object{{"subscription", quoted(sub.name)}}
	o.update(sub.extra)
	o.update(sub.authorized)
	o.update(sub.session.authInfo)
	return o
}

// ask asks a backend for its consent. Without a URL it is given. The error is a [*refusal] unless the
// answer is unusable.
func (sub *subscription) ask(url string, otherwise string) (object, error) {
	return sub.judge(callback{url: url, data: sub.describe(), gone: sub.session.gone}, otherwise)
}

// pass passes on what the client has said, as ask does, but not after a time. It is passed on even if the
// client has gone.
func (sub *subscription) pass(url string, data json.RawMessage, until time.Time) (object, error) {
	o := sub.describe()
	o.set("data", data)
	return sub.judge(callback{url: url, data: o, until: until}, textUnhandled)
}

// judge asks a backend.
func (sub *subscription) judge(c callback, otherwise string) (object, error) {
	if c.url == "" {
		return object{{"status", quoted("ok")}}, nil
	}
	answer, err := sub.session.d.post(c)
	switch {
	case errors.Is(err, errUnavailable):
		return nil, refused(textUnavailable)
	case err != nil:
		return nil, err
	}
	return answer, refusalOf(answer, otherwise)
}

// refusalOf returns the refusal that an answer is, or nil.
func refusalOf(answer object, otherwise string) error {
	if isOK(answer) {
		return nil
	}
	r := &refusal{text: textOr(answer.get("error"), otherwise)}
	if data := answer.get("data"); !isFalse(data) {
		r.data = data
	}
	return r
}

// inform tells a backend something. Whatever it answers changes nothing.
func (sub *subscription) inform(url string) {
	if url == "" {
		return
	}
	// It must know even if the client has gone.
	if _, err := sub.session.d.post(callback{url: url, data: sub.describe()}); errors.Is(err, errUnusable) {
		sub.session.d.failures.Note("an answer is no JSON object", "url", scrub(url), "error", err)
	}
}

// tellEnd tells the backend that the subscription has ended.
func (sub *subscription) tellEnd() {
	sub.inform(sub.service.BeforeUnsubscribe)
	sub.inform(sub.service.OnUnsubscribe)
}

// end ends the subscription. No message follows.
func (sub *subscription) end() {
	sub.stop(nil)
	if sub.topic != nil {
		sub.topic.end(sub)
		sub.session.d.exit(sub.topic)
	}
}

// stop stops the subscription's timers. It returns false if it has ended already.
func (sub *subscription) stop(by json.RawMessage) bool {
	s := sub.session
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !sub.ended
	if first {
		sub.ended, sub.endedBy = true, by
	}
	for _, stop := range []func() bool{sub.stopRenewal, sub.stopHeartbeat} {
		if stop != nil {
			stop()
		}
	}
	return first
}

// isOver reports whether a subscription has ended, whoever did it.
func (sub *subscription) isOver() bool {
	sub.session.mu.Lock()
	defer sub.session.mu.Unlock()
	return sub.ended
}

// hasEnded reports whether a subscription has ended without the client's doing.
func (sub *subscription) hasEnded() bool {
	sub.session.mu.Lock()
	defer sub.session.mu.Unlock()
	return sub.ended && sub.endedBy != nil
}
