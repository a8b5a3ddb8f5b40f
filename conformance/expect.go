package conformance

import (
	"fmt"
	"maps"
	"slices"
)

// awaitMessage awaits a message of the client that no other step has named.
func (p *player) awaitMessage(want Message) error {
	return p.until("the message "+format(want), func() bool { return p.take(want) })
}

// take takes a message out of those that no step has named, and reports whether it is there.
func (p *player) take(want Message) bool {
	for i, m := range p.inbox {
		trial := maps.Clone(p.vars)
		if trial.Match(asSent(want), asSent(m)) == "" {
			p.vars = trial
			p.inbox = slices.Delete(p.inbox, i, i+1)
			return true
		}
	}
	return false
}

// sees awaits an event of the driver.
func (p *player) sees(want Message) error {
	kind, _ := want["event"].(string)
	strict := slices.Contains(strictEvents, kind)
	var wrong error
	err := p.until("the event "+format(want), func() bool {
		for i, event := range p.shown {
			if event["event"] != kind || want["on"] != nil && event["on"] != want["on"] || want["as"] != nil && event["as"] != want["as"] {
				continue
			}
			diff := p.vars.Match(want, event)
			if diff == "" {
				p.shown = slices.Delete(p.shown, i, i+1)
				return true
			}
			if strict {
				wrong = fmt.Errorf("the client shows %s, want %s: %s", format(event), format(want), diff)
				return true
			}
		}
		return false
	})
	if wrong != nil {
		return wrong
	}
	return err
}
