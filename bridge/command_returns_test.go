package bridge

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
)

func TestTheSenderOfAnUnroutableCommandIsToldOnce(t *testing.T) {
	const back = "back" // the reply comes back
	for name, events := range map[string][]any{
		"as it should":                    {amqpx.Confirmed, back},
		"the confirm is last":             {back, amqpx.Confirmed},
		"the confirm never comes":         {back, amqpx.Unknown},
		"the confirm is late":             {amqpx.Unknown, back},
		"another queue refuses it":        {amqpx.Refused, back},
		"nobody knows, and it is lost":    {amqpx.Unknown, "down"},
		"the link breaks behind it":       {amqpx.Confirmed, "down"},
		"the link breaks before":          {amqpx.Disconnected, "down"},
		"it comes back, the link breaks":  {amqpx.Confirmed, back, "down"},
		"the confirm and it are late":     {"late", amqpx.Unknown, back},
		"it is late after its confirm":    {amqpx.Confirmed, "late", back},
		"it is lost late":                 {amqpx.Confirmed, "late", "down"},
		"it waits too long":               {amqpx.Expired},
		"the broker blocks in the moment": {amqpx.Blocked},
	} {
		synctest.Test(t, func(t *testing.T) { hearsOnce(t, name, events) })
	}
}

// hearsOnce plays the events: outcomes, and the words of the test.
func hearsOnce(t *testing.T, name string, events []any) {
	var u pendingReturns
	heard, done := 0, 0
	u.expect("id", time.Now().Add(sendWithin), pendingReturn{report: func() { heard++ }, done: func() { done++ }})
	for _, event := range events {
		switch e := event.(type) {
		case amqpx.Outcome:
			u.published("id", e)
		case string:
			switch {
			case e == "down":
				u.linkLost()
			case e == "late":
				time.Sleep(sendWithin + time.Millisecond)
				synctest.Wait()
			default:
				if wanted, done := u.arrived("id"); wanted {
					heard++
					done()
				}
			}
		}
	}
	if heard != 1 || done != 1 {
		t.Errorf("%s: heard %d times, done %d times", name, heard, done)
	}
	u.linkLost()
	if heard != 1 || len(u.byID) != 0 {
		t.Errorf("%s: something is left", name)
	}
}

func TestRepliesOfOtherProgramsAreDelivered(t *testing.T) {
	var u pendingReturns
	u.expect("id", time.Now().Add(sendWithin), pendingReturn{report: func() { t.Error("told of another's reply") }})
	if wanted, _ := u.arrived("other"); !wanted {
		t.Error("a reply of somebody else was dropped")
	}
	u.arrived("id")
}
