package wsclient

import (
	"errors"
	"testing"

	"github.com/clu-ws/clu-ws/actor"
)

func TestACommandIsDone(t *testing.T) {
	o := newObservatory(t, nil)
	c := o.dial(nil)
	result, err := c.Send(within(t), "dome", "open", SendOptions{}).Wait(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(result.Keywords()["dome_open"]); got != "true" || result.Reply == nil || result.Reply.Code != ":" {
		t.Errorf("the result is %+v, dome_open is %s", result, got)
	}
}

func TestACommandThatFails(t *testing.T) {
	o := newObservatory(t, nil)
	c := o.dial(nil)
	_, err := c.Send(within(t), "dome", "jam", SendOptions{}).Wait(within(t))
	failed, ok := errors.AsType[*CommandError](err)
	if !ok || !errors.Is(err, ErrFailed) || errors.Is(err, ErrNobody) || failed.Message != "the dome is jammed" || failed.Reply == nil {
		t.Errorf("got %#v", err)
	}
}

func TestACommandToNobody(t *testing.T) {
	o := newObservatory(t, nil)
	c := o.dial(nil)
	_, err := c.Send(within(t), "nobody", "open", SendOptions{}).Wait(within(t))
	if !errors.Is(err, ErrNobody) || !errors.Is(err, ErrFailed) {
		t.Errorf("got %#v", err)
	}
}

func TestTheLastValueOfAKeyword(t *testing.T) {
	o := newObservatory(t, nil)
	c := o.dial(nil)
	if _, err := c.Value(within(t), "dome", "serial"); !errors.Is(err, ErrNoValue) {
		t.Errorf("without a value: %v", err)
	}
	sub, err := c.Subscribe(within(t), SubscribeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	o.dome.Broadcast(actor.Info, actor.Keywords{"serial": uint64(5853498713190525696)})
	if _, err := sub.Next(within(t)); err != nil {
		t.Fatal(err)
	}
	v, err := c.Value(within(t), "dome", "serial")
	if err != nil || v.String() != "5853498713190525696" {
		t.Errorf("got %v, %v", v, err)
	}
	if age := c.Age(v.Heard); age < 0 || v.Heard.IsZero() {
		t.Errorf("its age is %v, heard %v", age, v.Heard)
	}
}
