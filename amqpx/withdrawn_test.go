package amqpx

import (
	"testing"
	"time"
)

func TestAMessageThatIsWithdrawnBeforeItsTurnIsNotSent(t *testing.T) {
	var out outcomes
	o := newOutbox(10, 4, time.Hour)
	o.open()
	withdrawn := false
	m := message("a")
	m.Withdrawn = func() bool { return withdrawn }
	o.put(m, out.of("a"))
	put(o, &out, "b")
	withdrawn = true
	if p, _ := o.take(time.Now()); p == nil || p.msg.MessageId != "b" {
		t.Errorf("the message that is sent is %+v", p)
	}
	out.expect(t, "a gone")
	withdrawn = false
	o.put(m, out.of("a"))
	if p, _ := o.take(time.Now()); p == nil || p.msg.MessageId != "a" {
		t.Errorf("a message that was not withdrawn is not sent, but %+v", p)
	}
}
