package amqpx

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// someone is a sender.
type someone struct{ gone bool }

func (s *someone) Gone() bool { return s.gone }

func from(s Sender, id string) Message {
	m := message(id)
	m.From = s
	return m
}

// takeAll takes what may be sent, and gives the ids.
func takeAll(o *outbox) (ids []string) {
	for p, _ := o.take(time.Now()); p != nil; p, _ = o.take(time.Now()) {
		ids = append(ids, p.msg.MessageId)
	}
	return ids
}

func TestABurstOfOneSenderLeavesRoomForTheOthers(t *testing.T) {
	o := newOutbox(1024, 256, time.Second)
	o.open()
	full := map[Sender]int{}
	send := func(s Sender, messages int) {
		for range messages {
			o.put(from(s, "x"), func(outcome Outcome) {
				if outcome == Full {
					full[s]++
				}
			})
		}
	}
	greedy, honest := &someone{}, &someone{}
	send(greedy, 1990)
	send(honest, 100)
	if full[honest] > 0 || full[greedy] != 1990-1024+100 {
		t.Errorf("full are %d of the honest one's, %d of the other's", full[honest], full[greedy])
	}
	for range 50 { // the more there are, the less each has
		send(&someone{}, 1990)
	}
	last := &someone{}
	send(last, 1)
	if full[last] > 0 {
		t.Error("an honest sender found no room beside 50 others")
	}
}

func TestTheLongestQueueLosesItsNewestMessage(t *testing.T) {
	var out outcomes
	o := newOutbox(3, 10, time.Second)
	o.open()
	a, b := &someone{}, &someone{}
	for _, m := range []Message{from(a, "a1"), from(a, "a2"), from(a, "a3"), from(a, "a4"), from(b, "b1"), from(b, "b2"), from(a, "a5")} {
		o.put(m, out.of(m.MessageId))
	}
	out.expect(t, "a4 full", "a3 full", "b2 full", "a5 full")
	if got := takeAll(o); !slices.Equal(got, []string{"a1", "b1", "a2"}) {
		t.Errorf("sent were %q", got)
	}
}

func TestSendersTakeTurnsAndEachKeepsItsOrder(t *testing.T) {
	o := newOutbox(100, 100, time.Second)
	o.open()
	a, b, c := &someone{}, &someone{}, &someone{}
	for _, m := range []Message{from(a, "a1"), from(a, "a2"), from(a, "a3"), from(a, "a4"), from(b, "b1"), from(b, "b2"), from(c, "c1")} {
		o.put(m, func(Outcome) {})
	}
	if got, want := takeAll(o), []string{"a1", "b1", "c1", "a2", "b2", "a3", "a4"}; !slices.Equal(got, want) {
		t.Errorf("the order is %q, want %q", got, want)
	}
}

func TestMessagesOfADisconnectedSenderAreNotSent(t *testing.T) {
	var out outcomes
	o := newOutbox(100, 100, time.Second)
	o.open()
	a, b := &someone{}, &someone{}
	for _, m := range []Message{from(a, "a1"), from(a, "a2"), from(b, "b1")} {
		o.put(m, out.of(m.MessageId))
	}
	o.take(time.Now())
	a.gone = true
	if got := takeAll(o); !slices.Equal(got, []string{"b1"}) {
		t.Errorf("sent were %q", got)
	}
	out.expect(t, "a2 gone")
	o.settle(1, Confirmed) // what was sent before has its own end
	out.expect(t, "a1 confirmed")
}

func TestAMessageIsNotSentBehindItsOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out outcomes
		o := newOutbox(100, 100, time.Second)
		o.open()
		soon := message("soon")
		soon.Deadline = time.Now().Add(100 * time.Millisecond).Round(0) // of another clock, as a client says it
		o.put(soon, out.of("soon"))
		put(o, &out, "a")
		late := message("late")
		late.Deadline = time.Now().Add(-time.Millisecond)
		o.put(late, out.of("late"))
		out.expect(t, "late expired")
		time.Sleep(101 * time.Millisecond)
		if got := takeAll(o); !slices.Equal(got, []string{"a"}) {
			t.Errorf("sent were %q", got)
		}
		out.expect(t, "soon expired")

		// What was sent in time keeps the whole patience for its confirm.
		soon.Deadline = time.Now().Add(100 * time.Millisecond)
		o.put(soon, out.of("soon"))
		takeAll(o)
		time.Sleep(200 * time.Millisecond)
		o.expire(time.Now())
		out.expect(t)
	})
}

// The monotonic clock stands still while the machine is suspended, the other one goes on.
func TestAMessageThatWaitedThroughASuspendIsNotSent(t *testing.T) {
	p := &publish{deadline: time.Now().Add(time.Second)}
	p.expires = p.deadline.UnixNano()
	if p.late(time.Now()) {
		t.Fatal("it is late at once")
	}
	p.expires -= int64(3 * time.Second) // the clock on the wall, seen from behind the suspend
	if !p.late(time.Now()) {
		t.Error("it is not late three seconds later")
	}
}

// A model says what waits: of each sender a list.
func TestASendQueueLosesNothingAndKeepsEachOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 9))
	senders := []Sender{nil, &someone{}, &someone{}, &someone{}, &someone{}}
	for range 200 {
		q, model := newSendQueue(20), map[Sender][]string{}
		for n := range 200 {
			s := senders[random.IntN(len(senders))]
			if random.IntN(5) < 3 {
				ok, instead := q.admits(s)
				if instead != nil {
					list := model[instead.msg.From]
					if last := len(list) - 1; last < 0 || list[last] != instead.msg.MessageId || last+1 <= len(model[s]) {
						t.Fatalf("%s gave way, of %q, to one who has %d", instead.msg.MessageId, list, len(model[s]))
					} else {
						model[instead.msg.From] = list[:last]
					}
				}
				if ok {
					id := fmt.Sprint(n)
					q.push(&publish{msg: from(s, id)})
					model[s] = append(model[s], id)
				}
				continue
			}
			p := q.head()
			if p == nil {
				continue
			}
			if random.IntN(2) == 0 {
				q.pop()
			} else {
				q.skip()
			}
			if list := model[p.msg.From]; len(list) == 0 || list[0] != p.msg.MessageId {
				t.Fatalf("%s is next, want the first of %q", p.msg.MessageId, list)
			}
			model[p.msg.From] = model[p.msg.From][1:]
		}
		want := 0
		for _, list := range model {
			want += len(list)
		}
		if got := len(q.clear()); got != want || q.waiting != 0 || len(q.queues) != 0 || q.first != nil {
			t.Fatalf("%d messages were left, want %d; %d lines", got, want, len(q.queues))
		}
	}
}

func TestWaitingCostsNoMemoryBeyondTheMessage(t *testing.T) {
	q, s, p := newSendQueue(10), &someone{}, &publish{}
	p.msg.From = s
	if n := testing.AllocsPerRun(100, func() { q.push(p); q.pop() }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
