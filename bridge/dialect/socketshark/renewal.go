package socketshark

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"
)

// authorize notes the answer of a subscription's authorizer. It reports whether its fields have changed.
func (sub *subscription) authorize(answer object) (changed bool) {
	picked := answer.pick(sub.service.AuthorizerFields)
	s := sub.session
	s.mu.Lock()
	defer s.mu.Unlock()
	changed = sub.isAuthorized && canonical(sub.authorized.encode()) != canonical(picked.encode())
	sub.authorized, sub.isAuthorized, sub.authorizedAt = picked, true, s.d.host.Now()
	return changed
}

// startTimers starts the renewal of the authorization, and the heartbeat.
func (sub *subscription) startTimers() {
	if sub.service.AuthorizationRenewalPeriod > 0 {
		sub.scheduleRenewal()
	}
	if period := sub.service.HeartbeatPeriod; period > 0 {
		// The first at some time of the period, so that not all come at once after a restart.
		sub.scheduleHeartbeat(rand.N(period))
	}
}

func (sub *subscription) scheduleRenewal() {
	wait := sub.service.AuthorizationRenewalPeriod
	if jitter := sub.service.AuthorizationRenewalJitter; jitter > 0 {
		wait -= rand.N(jitter)
	}
	sub.schedule(&sub.stopRenewal, wait, sub.renew)
}

func (sub *subscription) scheduleHeartbeat(wait time.Duration) {
	sub.schedule(&sub.stopHeartbeat, wait, func() {
		sub.inform(sub.service.OnHeartbeat)
		sub.scheduleHeartbeat(sub.service.HeartbeatPeriod)
	})
}

// schedule runs a function on a goroutine after some time, unless the subscription has ended.
func (sub *subscription) schedule(stop *func() bool, wait time.Duration, do func()) {
	s := sub.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if sub.ended {
		return
	}
	*stop = s.d.host.After(wait, func() { s.d.working.run(do) })
}

// renew asks the authorizer again. If it refuses, the subscription ends. If it cannot be reached, the
// subscription goes on for some time.
func (sub *subscription) renew() {
	s := sub.session
	answer, err := s.d.post(callback{url: sub.service.Authorizer, data: sub.describe(), gone: s.goneSignal(), pointless: sub.isOver})
	if sub.isOver() {
		return
	}
	if err == nil {
		err = refusalOf(answer, textUnauthorized)
	}
	if err == nil && sub.authorize(answer) {
		sub.topic.regroup(sub)
		err = sub.tellChange()
	}
	if by := sub.endsBy(err); by != nil {
		sub.expel(by)
		return
	}
	sub.scheduleRenewal()
}

// tellChange tells the backend that the authorizer's fields have changed. It may refuse. If it cannot be
// reached, the subscription goes on.
func (sub *subscription) tellChange() error {
	url := sub.service.OnAuthorizationChange
	if url == "" {
		return nil
	}
	answer, err := sub.session.d.post(callback{url: url, data: sub.describe(), gone: sub.session.goneSignal(), pointless: sub.isOver})
	if err != nil {
		return nil
	}
	return refusalOf(answer, textUnhandled)
}

// endsBy returns the error with which a failed renewal ends a subscription; nil if it goes on.
func (sub *subscription) endsBy(err error) json.RawMessage {
	var r *refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return r.text
	case errors.Is(err, errDenied):
		return quoted(textUnavailable)
	}
	s := sub.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.d.host.Now().Sub(sub.authorizedAt) > s.d.cfg.RenewalGrace {
		return quoted(textUnavailable)
	}
	return nil
}

// expel ends a subscription at once. The backend and the client are told when the client's other events
// are answered.
func (sub *subscription) expel(by json.RawMessage) {
	if !sub.stop(by) {
		return
	}
	sub.topic.end(sub)
	sub.session.submit(sub.expire)
}

// expire tells the backend and the client that the subscription has ended, if they do not know yet. busy
// is set.
func (sub *subscription) expire() {
	s := sub.session
	if s.subscriptions[sub.name] != sub {
		return
	}
	s.drop(sub)
	s.d.exit(sub.topic)
	var data json.RawMessage
	if url := sub.service.BeforeUnsubscribe; url != "" {
		if answer, err := s.d.post(callback{url: url, data: sub.describe()}); err == nil {
			data = answer.get("data")
		}
	}
	sub.inform(sub.service.OnUnsubscribe)
	o := object{{"event", quoted("unsubscribe")}, {"subscription", quoted(sub.name)}}
	if len(data) > 0 && string(data) != "null" {
		o.set("data", data)
	}
	o.set("error", sub.endedBy)
	o.update(sub.extra)
	s.send(o)
}
