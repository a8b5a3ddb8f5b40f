package amqpx

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// outcomes records how messages ended, in order.
type outcomes struct{ list []string }

func (o *outcomes) of(name string) func(Outcome) {
	return func(out Outcome) { o.list = append(o.list, name+" "+out.String()) }
}

func (o *outcomes) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(o.list, want) {
		t.Errorf("outcomes:\n got %q\nwant %q", o.list, want)
	}
	o.list = nil
}

func message(id string) Message {
	return Message{Mandatory: true, Publishing: Publishing{MessageId: id}}
}

// put publishes messages named by letters.
func put(o *outbox, out *outcomes, names string) {
	for _, n := range names {
		o.put(message(string(n)), out.of(string(n)))
	}
}

func TestAnOutboxRefusesWithoutAConnection(t *testing.T) {
	var out outcomes
	o := newOutbox(10, 4, time.Hour)
	put(o, &out, "a")
	out.expect(t, "a away")
	o.open()
	o.refuse(Blocked)
	put(o, &out, "b")
	out.expect(t, "b blocked")
	o.accept()
	put(o, &out, "c")
	out.expect(t)
	o.disconnect()
	out.expect(t, "c away")
}

func TestTheOutboxBoundsWhatIsInFlightAndWhatIsPending(t *testing.T) {
	var out outcomes
	o := newOutbox(2, 3, time.Hour)
	o.open()
	var sent string
	take := func() {
		for p, _ := o.take(time.Now()); p != nil; p, _ = o.take(time.Now()) {
			sent += p.msg.MessageId
		}
	}
	put(o, &out, "ab")
	take()
	put(o, &out, "cd")
	take()
	put(o, &out, "ef")
	out.expect(t, "f full")
	o.settle(2, Confirmed)
	take()
	if sent != "abc" {
		t.Errorf("sent %q: the window is counted from the oldest unconfirmed", sent)
	}
	o.settle(1, Confirmed)
	take()
	if sent != "abcde" {
		t.Errorf("sent %q", sent)
	}
	out.expect(t, "b confirmed", "a confirmed")
}

func TestAReturnIsMatchedToItsOwnMessage(t *testing.T) {
	var out outcomes
	o := newOutbox(10, 10, time.Hour)
	o.open()
	put(o, &out, "abc")
	for range 3 {
		o.take(time.Now())
	}
	o.markReturned("b")
	for tag := range uint64(3) {
		o.settle(tag+1, Confirmed)
	}
	out.expect(t, "a confirmed", "b returned", "c confirmed")
}

func TestABrokenLinkLeavesWhatWasInFlightUnknownAndWhatWasPendingUnsent(t *testing.T) {
	var out outcomes
	o := newOutbox(10, 2, time.Hour)
	o.open()
	put(o, &out, "abcd")
	o.take(time.Now())
	o.take(time.Now())
	o.settle(1, Confirmed)
	o.disconnect()
	out.expect(t, "a confirmed", "c away", "d away", "b unknown")
	// The next connection starts with tags of its own.
	o.open()
	put(o, &out, "e")
	if p, tag := o.take(time.Now()); p == nil || tag != 1 {
		t.Errorf("the first message of a new connection has tag %d", tag)
	}
	o.settle(1, Refused)
	out.expect(t, "e refused")
}

func TestNothingIsSentAfterItsDeadlineAndEachOutcomeIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out outcomes
		o := newOutbox(10, 1, time.Second)
		o.open()
		put(o, &out, "ab")
		o.take(time.Now())
		time.Sleep(1100 * time.Millisecond)
		o.settle(1, Confirmed)
		out.expect(t, "a confirmed")
		if p, _ := o.take(time.Now()); p != nil {
			t.Errorf("%s was sent late", p.msg.MessageId)
		}
		put(o, &out, "c")
		o.expire(time.Now())
		out.expect(t, "b expired")
		if p, _ := o.take(time.Now()); p == nil || p.msg.MessageId != "c" {
			t.Error("c was not sent")
		}
		time.Sleep(1100 * time.Millisecond)
		o.expire(time.Now())
		out.expect(t, "c unknown")
		// The confirm that comes later only frees the slot.
		put(o, &out, "d")
		if p, _ := o.take(time.Now()); p != nil {
			t.Error("d was sent into a full window")
		}
		o.settle(2, Confirmed)
		if p, _ := o.take(time.Now()); p == nil {
			t.Error("d was not sent")
		}
		out.expect(t)
	})
}

func TestNothingMoreIsSentToABrokerThatOwesAConfirmForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out outcomes
		o := newOutbox(10, 8, time.Second)
		o.open()
		put(o, &out, "ab")
		o.take(time.Now())
		time.Sleep(30 * time.Millisecond)
		if p, _ := o.take(time.Now()); p == nil {
			t.Error("b was not sent, although a is young")
		}
		put(o, &out, "cd")
		time.Sleep(10 * time.Millisecond)
		if p, _ := o.take(time.Now()); p != nil {
			t.Errorf("%s was sent into a stall", p.msg.MessageId)
		}
		o.settle(1, Confirmed)
		if p, _ := o.take(time.Now()); p == nil || p.msg.MessageId != "c" {
			t.Error("c was not sent, although the broker goes on")
		}
		time.Sleep(1100 * time.Millisecond)
		o.expire(time.Now())
		out.expect(t, "a confirmed", "d expired", "b unknown", "c unknown")
	})
}

func TestAClosedOutboxIsIdleOnceEverythingHasItsOutcome(t *testing.T) {
	var out outcomes
	o := newOutbox(10, 4, time.Hour)
	o.open()
	put(o, &out, "ab")
	o.take(time.Now())
	o.take(time.Now())
	idle := o.close()
	put(o, &out, "c")
	out.expect(t, "c away")
	for tag := range uint64(2) {
		select {
		case <-idle:
			t.Fatal("idle too early")
		default:
		}
		o.settle(tag+1, Confirmed)
	}
	<-idle
	o.accept()
	put(o, &out, "d")
	out.expect(t, "a confirmed", "b confirmed", "d away")
}

func TestAnOverdueConfirmDoesNotKeepAClosedOutboxFromBeingIdle(t *testing.T) {
	var out outcomes
	o := newOutbox(10, 4, time.Hour)
	o.open()
	put(o, &out, "ab")
	o.take(time.Now())
	o.expire(time.Now().Add(2 * time.Hour))
	out.expect(t, "b expired", "a unknown")
	select {
	case <-o.close():
	default:
		t.Error("what has its outcome is waited for")
	}
}

func TestAConfirmIsOverdueUntilItComesOrTheLinkBreaks(t *testing.T) {
	var out outcomes
	o := newOutbox(10, 4, time.Hour)
	for _, end := range []func(){func() { o.settle(1, Confirmed) }, o.disconnect} {
		o.open()
		put(o, &out, "a")
		o.take(time.Now())
		if o.overdue() {
			t.Error("overdue before its deadline")
		}
		o.expire(time.Now().Add(2 * time.Hour))
		if !o.overdue() {
			t.Error("not overdue after it")
		}
		end()
		if o.overdue() {
			t.Error("overdue for ever")
		}
	}
}

func TestOutcomesHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for o := Confirmed; o <= Unknown; o++ {
		seen[o.String()] = true
	}
	if len(seen) != int(Unknown)+1 || seen["invalid outcome"] {
		t.Errorf("the names are %v", seen)
	}
	if got := fmt.Sprint(Outcome(99)); got != "invalid outcome" {
		t.Error(got)
	}
}

// needy publishes a message that needs a queue.
func needy(o *outbox, out *outcomes, id string) {
	m := message(id)
	m.Needs = []string{"queue"}
	o.put(m, out.of(id))
}

func TestAMessageIsSentOnceItsQueueIsFoundAndOthersWaitBehindIt(t *testing.T) {
	var out outcomes
	o := newOutbox(10, 4, time.Hour)
	o.checks = true
	o.open()
	needy(o, &out, "a")
	put(o, &out, "b")
	if p, _ := o.take(time.Now()); p != nil {
		t.Errorf("%s was sent first", p.msg.MessageId)
	}
	o.checked(o.nextUnchecked(time.Now()), true)
	for _, want := range "ab" {
		if p, _ := o.take(time.Now()); p == nil || p.msg.MessageId != string(want) {
			t.Errorf("%c was not sent", want)
		}
	}
	needy(o, &out, "c")
	o.checked(o.nextUnchecked(time.Now()), false)
	out.expect(t, "c returned")
}

func TestALateAnswerIsNotTakenForAnotherMessages(t *testing.T) {
	var out outcomes
	o := newOutbox(10, 4, time.Hour)
	o.checks = true
	o.open()
	for _, exists := range []bool{true, false} {
		needy(o, &out, "a")
		asked := o.nextUnchecked(time.Now())
		o.expire(time.Now().Add(2 * time.Hour))
		needy(o, &out, "b")
		o.checked(asked, exists)
		if p, _ := o.take(time.Now()); p != nil {
			t.Errorf("%s was sent on the answer for another", p.msg.MessageId)
		}
		o.refuse(Blocked)
		o.accept()
		out.expect(t, "a expired", "b blocked")
	}
}

func TestWhatIsKnownOfQueuesIsBounded(t *testing.T) {
	q := newQueueCheck(nil)
	for i := range 3 * knownQueues {
		q.remember(fmt.Sprint(i), queueStatus{exists: true})
		q.remember("0", queueStatus{})
	}
	if len(q.known) != knownQueues || len(q.order) != knownQueues {
		t.Errorf("%d queues are known, %d in order", len(q.known), len(q.order))
	}
	if _, known := q.known[fmt.Sprint(3*knownQueues-1)]; !known {
		t.Error("the latest is not known")
	}
}

func TestTheStatsCountWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out outcomes
		o := newOutbox(4, 8, time.Second)
		put(o, &out, "a") // disconnected
		o.open()
		put(o, &out, "bcdefg") // two more than may be pending
		for range 3 {
			o.take(time.Now())
		}
		o.markReturned("c")
		time.Sleep(500 * time.Microsecond)
		o.settle(1, Confirmed)
		time.Sleep(4 * time.Millisecond)
		o.settle(2, Confirmed)
		s := o.stats()
		if s.Pending != 1 || s.InFlight != 1 {
			t.Errorf("%d wait and %d are in flight", s.Pending, s.InFlight)
		}
		time.Sleep(6 * time.Second)
		o.expire(time.Now())
		o.settle(3, Confirmed)
		s = o.stats()
		want := map[Outcome]uint64{Disconnected: 1, Full: 2, Confirmed: 1, Returned: 1, Unknown: 1, Expired: 1}
		for outcome, n := range s.Outcomes {
			if n != want[Outcome(outcome)] {
				t.Errorf("%v: %d, want %d", Outcome(outcome), n, want[Outcome(outcome)])
			}
		}
		counts := []uint64{1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
		if !slices.Equal(s.Confirms.Counts, counts) || len(s.Confirms.Bounds) != len(counts)-1 {
			t.Errorf("the confirms are %v", s.Confirms)
		}
		if math.Abs(s.Confirms.Sum-6.0095) > 1e-6 {
			t.Errorf("they took %v s together", s.Confirms.Sum)
		}
	})
}
