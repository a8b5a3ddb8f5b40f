package amqpx

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

type testSender struct {
	gone   bool
	tenant any
}

func (s *testSender) Gone() bool { return s.gone }

func from(s Sender, id string) Message {
	m := message(id)
	m.From = s
	if s, ok := s.(*testSender); ok {
		m.Tenant = s.tenant
	}
	return m
}

// takeAll takes all messages that may be sent, and returns their ids.
func takeAll(o *outbox) (ids []string) {
	for p, _ := o.take(time.Now()); p != nil; p, _ = o.take(time.Now()) {
		ids = append(ids, p.msg.MessageId)
	}
	return ids
}

func TestABurstOfOneSenderLeavesRoomForTheOthers(t *testing.T) {
	o := newOutbox(1024, 256, time.Hour)
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
	greedy, honest := &testSender{}, &testSender{}
	send(greedy, 1990)
	send(honest, 100)
	if full[honest] > 0 || full[greedy] != 1990-1024+100 {
		t.Errorf("full are %d of the honest one's, %d of the other's", full[honest], full[greedy])
	}
	for range 50 { // the more there are, the less each has
		send(&testSender{}, 1990)
	}
	last := &testSender{}
	send(last, 1)
	if full[last] > 0 {
		t.Error("an honest sender found no room beside 50 others")
	}
}

func TestTheLongestQueueLosesItsNewestMessage(t *testing.T) {
	var out outcomes
	o := newOutbox(3, 10, time.Hour)
	o.open()
	a, b := &testSender{}, &testSender{}
	for _, m := range []Message{from(a, "a1"), from(a, "a2"), from(a, "a3"), from(a, "a4"), from(b, "b1"), from(b, "b2"), from(a, "a5")} {
		o.put(m, out.of(m.MessageId))
	}
	out.expect(t, "a4 full", "a3 full", "b2 full", "a5 full")
	if got := takeAll(o); !slices.Equal(got, []string{"a1", "b1", "a2"}) {
		t.Errorf("sent were %q", got)
	}
}

func TestSendersTakeTurnsAndEachKeepsItsOrder(t *testing.T) {
	o := newOutbox(100, 100, time.Hour)
	o.open()
	a, b, c := &testSender{}, &testSender{}, &testSender{}
	for _, m := range []Message{from(a, "a1"), from(a, "a2"), from(a, "a3"), from(a, "a4"), from(b, "b1"), from(b, "b2"), from(c, "c1")} {
		o.put(m, func(Outcome) {})
	}
	if got, want := takeAll(o), []string{"a1", "b1", "c1", "a2", "b2", "a3", "a4"}; !slices.Equal(got, want) {
		t.Errorf("the order is %q, want %q", got, want)
	}
}

func TestMessagesOfADisconnectedSenderAreNotSent(t *testing.T) {
	var out outcomes
	o := newOutbox(100, 100, time.Hour)
	o.open()
	a, b := &testSender{}, &testSender{}
	for _, m := range []Message{from(a, "a1"), from(a, "a2"), from(b, "b1")} {
		o.put(m, out.of(m.MessageId))
	}
	o.take(time.Now())
	a.gone = true
	if got := takeAll(o); !slices.Equal(got, []string{"b1"}) {
		t.Errorf("sent were %q", got)
	}
	out.expect(t, "a2 gone")
	o.settle(1, Confirmed) // what was sent before has its own outcome
	out.expect(t, "a1 confirmed")
}

func TestAMessageIsNotSentBehindItsOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out outcomes
		o := newOutbox(100, 100, time.Second)
		o.open()
		soon := message("soon")
		soon.Deadline = time.Now().Add(100 * time.Millisecond).Round(0) // by another clock, as a client's deadline is
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

		// A message that was sent in time has the whole timeout for its confirm.
		soon.Deadline = time.Now().Add(100 * time.Millisecond)
		o.put(soon, out.of("soon"))
		takeAll(o)
		time.Sleep(200 * time.Millisecond)
		o.expire(time.Now())
		out.expect(t)
	})
}

// The monotonic clock stops while the machine is suspended, and the wall clock goes on.
func TestAMessageThatWaitedThroughASuspendIsNotSent(t *testing.T) {
	p := &publish{deadline: time.Now().Add(time.Second)}
	p.expires = p.deadline.UnixNano()
	if p.expired(time.Now()) {
		t.Fatal("it is late at once")
	}
	p.expires -= int64(3 * time.Second) // the wall clock after the suspend
	if !p.expired(time.Now()) {
		t.Error("it is not late three seconds later")
	}
}

// Random messages of all lengths are put into a queue and a model of it, which has a list for each
// sender.
func TestASendQueueLosesNothingAndKeepsEachOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 9))
	one, two := "one", "two"
	senders := []Sender{nil, &testSender{}, &testSender{tenant: one}, &testSender{tenant: one}, &testSender{tenant: two}}
	for range 200 {
		m := modelSendQueue{t, newSendQueue(20), map[Sender][]*publish{}}
		for n := range 200 {
			s := senders[random.IntN(len(senders))]
			if random.IntN(5) < 3 {
				msg := from(s, fmt.Sprint(n))
				msg.Body = make([]byte, max(0, random.IntN(8)-4)*slotBytes)
				m.put(&publish{msg: msg})
				continue
			}
			p := m.q.head()
			if p == nil {
				continue
			}
			if random.IntN(2) == 0 {
				m.q.pop()
			} else {
				m.q.skip()
			}
			if list := m.waits[p.msg.From]; len(list) == 0 || list[0] != p {
				t.Fatalf("%s is next, and not the first of its sender's", p.msg.MessageId)
			}
			m.waits[p.msg.From] = m.waits[p.msg.From][1:]
		}
		m.end()
	}
}

// modelSendQueue is a sendQueue, and what should be in it.
type modelSendQueue struct {
	t     *testing.T
	q     sendQueue
	waits map[Sender][]*publish
}

func (m *modelSendQueue) put(p *publish) {
	m.t.Helper()
	before, mine := m.ofTenant(p.msg.Tenant), m.of(p.msg.From)
	ok, evicted := m.q.admits(p)
	for _, other := range evicted {
		list := m.waits[other.msg.From]
		if last := len(list) - 1; last < 0 || list[last] != other {
			m.t.Fatalf("%s gives way, which is not its sender's newest", other.msg.MessageId)
		}
		has, than := m.ofTenant(other.msg.Tenant), before
		if other.msg.Tenant == p.msg.Tenant {
			has, than = m.of(other.msg.From), mine
		}
		if has <= than {
			m.t.Fatalf("with %d slots, %s gives way to one that has %d", has, other.msg.MessageId, than)
		}
		m.waits[other.msg.From] = list[:len(list)-1]
	}
	if !ok {
		return
	}
	m.q.push(p)
	m.waits[p.msg.From] = append(m.waits[p.msg.From], p)
	if m.q.slots > m.q.capacity && m.q.messages > 1 {
		m.t.Fatalf("%d slots are taken", m.q.slots)
	}
}

// of returns how many slots a sender has, and ofTenant how many a tenant.
func (m *modelSendQueue) of(s Sender) (places int) {
	for _, p := range m.waits[s] {
		places += slotsOf(p)
	}
	return places
}

func (m *modelSendQueue) ofTenant(tenant any) (places int) {
	for s, list := range m.waits {
		if len(list) > 0 && list[0].msg.Tenant == tenant {
			places += m.of(s)
		}
	}
	return places
}

func (m *modelSendQueue) end() {
	m.t.Helper()
	want := 0
	for _, list := range m.waits {
		want += len(list)
	}
	q := &m.q
	if got := len(q.clear()); got != want || q.messages != 0 || q.slots != 0 || len(q.senders) != 0 || len(q.tenants) != 0 || q.first != nil {
		m.t.Fatalf("%d messages were left, want %d; then %d of %d slots, %d senders, %d tenants", got, want, q.messages, q.slots, len(q.senders), len(q.tenants))
	}
}

// One address has 400 connections, and another a single one.
func TestATenantOfManySendersHasTheTurnsAndTheRoomOfOne(t *testing.T) {
	o := newOutbox(1024, 4096, time.Hour)
	o.open()
	full := map[any]int{}
	send := func(s *testSender, id string, messages int) {
		for range messages {
			o.put(from(s, id), func(outcome Outcome) {
				if outcome == Full {
					full[s.tenant]++
				}
			})
		}
	}
	for range 400 {
		send(&testSender{tenant: "many"}, "many's", 10)
	}
	send(&testSender{tenant: "honest"}, "honest", 100)
	if full["honest"] > 0 || full["many"] != 4000-1024+100 {
		t.Errorf("full are %d of the honest one's, %d of the others'", full["honest"], full["many"])
	}
	// Another sender of the large tenant, with an equal share of the tenant's slots.
	send(&testSender{tenant: "many"}, "many's", 2)
	if full["many"] != 4000-1024+102 {
		t.Errorf("full are %d of the many", full["many"])
	}
	order := takeAll(o)
	for i, id := range order[:200] {
		if want := []string{"many's", "honest"}[i%2]; id != want {
			t.Fatalf("message %d is %s, want %s", i, id, want)
		}
	}
}

func TestPendingMessagesAreBoundedInMemoryToo(t *testing.T) {
	o := newOutbox(1024, 256, time.Hour)
	o.open()
	bytes := 0
	send := func(s Sender, length int) (ok bool) {
		m, ended := from(s, "x"), Confirmed
		m.Body = make([]byte, length)
		bytes += length
		o.put(m, func(outcome Outcome) { bytes -= length; ended = outcome })
		return ended == Confirmed
	}
	greedy, honest := &testSender{tenant: "greedy"}, &testSender{tenant: "honest"}
	for range 1024 {
		send(greedy, 1<<20)
	}
	if bytes > 1024*slotBytes {
		t.Errorf("%d MiB wait", bytes>>20)
	}
	if !send(honest, 5<<20) || !send(honest, 10) {
		t.Error("an honest sender finds no room")
	}
	if send(honest, 30<<20) {
		t.Error("what is longer than all that may wait is let in")
	}
	takeAll(o)
	for tag := uint64(1); tag < o.next; tag++ {
		o.settle(tag, Confirmed)
	}
	if !send(honest, 30<<20) {
		t.Error("alone, even the longest has room")
	}
}

func TestAPendingMessageNeedsNoOtherMemory(t *testing.T) {
	q, s, p := newSendQueue(10), &testSender{}, &publish{}
	p.msg.From = s
	if n := testing.AllocsPerRun(100, func() { q.push(p); q.pop() }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
