package bridge

import (
	"fmt"
	"testing"
)

func TestACommandIDThatIsUsedAgainAndAgainIsRememberedOnce(t *testing.T) {
	o, s := newOwn(), &session{}
	send := func(id string) {
		if err := o.add(id, &owned{session: s}); err != nil {
			t.Fatal(err)
		}
	}
	send("without an end")
	for range 10 * maxOwnSession {
		send("status")
		o.replied("status", true)
	}
	if n := len(s.unasked); n > 2*maxOwnSession {
		t.Errorf("%d ids are remembered of two commands", n)
	}
}

func TestTheOldestCommandGivesWayWhenItsIDWasUsedBefore(t *testing.T) {
	o, s := newOwn(), &session{}
	send := func(id string) {
		if err := o.add(id, &owned{session: s}); err != nil {
			t.Fatal(err)
		}
	}
	send("again")
	send("oldest")
	o.replied("again", true)
	send("again")
	for i := range maxOwnSession - 1 {
		send(fmt.Sprint(i))
	}
	if o.of("oldest") != nil || o.of("again") != s {
		t.Error("another command than the oldest gave way")
	}
}
