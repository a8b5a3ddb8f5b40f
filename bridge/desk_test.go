package bridge

import (
	"strings"
	"testing"
)

func TestTheLanesOfTheDeskTakeTurnsAndEachKeepsItsOrder(t *testing.T) {
	d := newDesk()
	var done []string
	does := func(what string) func() { return func() { done = append(done, what) } }
	begin := make(chan struct{})
	d.do(func() { <-begin })
	var a, b lane
	for _, what := range []string{"a1", "a2", "a3"} {
		d.doFor(&a, does(what))
	}
	d.doFor(&b, does("b1"))
	d.do(does("urgent"))
	close(begin)
	d.close()
	d.doFor(&a, does("too late"))
	d.do(does("too late"))
	if got := strings.Join(done, " "); got != "urgent a1 b1 a2 a3" {
		t.Errorf("the order was %s", got)
	}
}

func TestWhatAClientAskedForIsNotDoneOnceItIsGone(t *testing.T) {
	s, gone, done := newStage(t), &session{}, make(chan struct{})
	gone.closed.Store(true)
	if err := s.Bridge.ask(gone, func() { t.Error("it was done") }); err != nil {
		t.Error(err)
	}
	s.desk.doFor(&gone.lane, func() { close(done) })
	<-done
}
