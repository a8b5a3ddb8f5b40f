package amqpx_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// sent is one numbered message. The broker has it if it was confirmed.
type sent struct {
	at          time.Time
	confirmed   bool
	confirmedAt time.Time // when the confirm came
}

// sender publishes about a thousand numbered messages a second to the exchange "test", over its own
// connection, which it makes again when it breaks.
type sender struct {
	url         string
	maxInFlight int // how many may be unconfirmed; 0 is any number
	stop        context.CancelFunc
	done        chan struct{}

	mu   sync.Mutex // guards the following field
	sent []sent     // by number
}

func startSender(t *testing.T, url string) *sender { return startSenderWith(t, url, 0, 0) }

// startSenderWith starts a sender whose messages are numbered from the given number on.
func startSenderWith(t *testing.T, url string, window, from int) *sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := &sender{url: url, maxInFlight: window, stop: cancel, done: make(chan struct{}), sent: make([]sent, from)}
	go func() {
		defer close(s.done)
		for ctx.Err() == nil {
			s.send(ctx)
		}
	}()
	t.Cleanup(s.end)
	return s
}

func (s *sender) end() { s.stop(); <-s.done }

// send publishes until its connection breaks.
func (s *sender) send(ctx context.Context) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	conn, err := amqp.DialConfig(s.url, amqp.Config{Heartbeat: time.Minute, Dial: amqp.DefaultDial(time.Second)})
	if err != nil {
		<-tick.C
		return
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil || ch.Confirm(false) != nil || ch.ExchangeDeclare("test", "topic", false, true, false, false, nil) != nil {
		return
	}
	first := s.count()
	confirms := ch.NotifyPublish(make(chan amqp.Confirmation, 100_000))
	var settled sync.WaitGroup
	var unconfirmed atomic.Int64
	settled.Go(func() {
		for c := range confirms {
			unconfirmed.Add(-1)
			s.mu.Lock()
			n := first + int(c.DeliveryTag) - 1
			s.sent[n].confirmed, s.sent[n].confirmedAt = c.Ack, time.Now()
			s.mu.Unlock()
		}
	})
	defer settled.Wait()
	for ; ctx.Err() == nil; <-tick.C {
		if s.maxInFlight > 0 && unconfirmed.Load() >= int64(s.maxInFlight) && !ch.IsClosed() {
			continue
		}
		s.mu.Lock()
		n := len(s.sent)
		s.sent = append(s.sent, sent{at: time.Now()})
		s.mu.Unlock()
		text := strconv.Itoa(n)
		if ch.Publish("test", "reply.me", false, false, amqp.Publishing{MessageId: text, Body: []byte(text)}) != nil {
			ch.Close()
			return
		}
		unconfirmed.Add(1)
	}
	// Messages in flight end before the connection is closed, unless the broker has stopped this channel.
	stopped := time.AfterFunc(testkit.Patience, func() { _ = conn.CloseDeadline(time.Now().Add(time.Second)) })
	defer stopped.Stop()
	_ = ch.Close()
}

func (s *sender) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}

// more waits until the broker has accepted count more messages, and returns the number of the
// last.
func (s *sender) more(t *testing.T, count int) (last int) {
	t.Helper()
	began := s.count()
	testkit.Eventually(t, testkit.Patience, "messages are confirmed", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		confirmed := 0
		for n := began; n < len(s.sent); n++ {
			if s.sent[n].confirmed {
				confirmed++
				last = n
			}
		}
		if confirmed < count {
			return fmt.Errorf("%d of %d", confirmed, count)
		}
		return nil
	})
	return last
}

// recorder records what a queue delivers: numbers, gaps, and that it caught up.
type recorder struct {
	mu     sync.Mutex // guards the following field
	events []event
}

type event struct {
	number int // -1 for other events
	offset uint64
	gap    *amqpx.Gap
	live   bool
}

func (h *recorder) add(e event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func (h *recorder) all() []event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

// of makes the queue report to the recorder.
func (h *recorder) of(q amqpx.Queue) amqpx.Queue {
	q.Bindings = []string{"reply.#"}
	q.Deliver = func(d *amqpx.Delivery) {
		n, err := strconv.Atoi(string(d.Body))
		if err != nil {
			n = -2
		}
		offset, _ := amqpx.TakeStreamOffset(d)
		h.add(event{number: n, offset: offset})
	}
	q.OnGap = func(g amqpx.Gap) { h.add(event{number: -1, gap: &g}) }
	if q.Stream != nil {
		q.Stream.OnCaughtUp = func() { h.add(event{number: -1, live: true}) }
	}
	return q
}

// await waits for a number.
func (h *recorder) await(t *testing.T, number int) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, fmt.Sprintf("number %d is heard", number), func() error {
		for _, e := range slices.Backward(h.all()) {
			if e.number >= number {
				return nil
			}
		}
		return fmt.Errorf("%d events", len(h.all()))
	})
}

func (h *recorder) gaps() (gaps []amqpx.Gap) {
	for _, e := range h.all() {
		if e.gap != nil {
			gaps = append(gaps, *e.gap)
		}
	}
	return gaps
}

// joined returns the gaps of a stream with those joined that overlap. A reader waits only so long while another one writes
// the gap of both: on a busy machine it then writes its own, which does no harm.
func joined(gaps []amqpx.Gap) (all []amqpx.Gap) {
	for _, next := range gaps {
		if len(all) == 0 || next.From.After(all[len(all)-1].To) {
			all = append(all, next)
			continue
		}
		last := &all[len(all)-1]
		if next.From.Before(last.From) {
			last.From = next.From
		}
		if next.To.After(last.To) {
			last.To = next.To
		}
	}
	return all
}

// missing checks that all numbers came in order and once. It returns the numbers between the first
// and the last received that the broker had accepted and that never came.
func (h *recorder) missing(t *testing.T, s *sender) (numbers []int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	last := -1
	for _, e := range h.all() {
		if e.number == -1 {
			continue
		}
		if e.number <= last {
			t.Fatalf("%d came after %d", e.number, last)
		}
		for n := last + 1; n < e.number && last >= 0; n++ {
			if s.sent[n].confirmed {
				numbers = append(numbers, n)
			}
		}
		last = e.number
	}
	return numbers
}

// within checks that each of the messages was sent within one of the gaps.
func (s *sender) within(t *testing.T, numbers []int, gaps []amqpx.Gap) {
	t.Helper()
	for _, n := range s.outside(numbers, gaps) {
		t.Errorf("number %d, sent at %v, is missing outside of the gaps %v", n, s.sent[n].at, gaps)
	}
}

// slowest returns the longest time that the broker took to confirm a message.
func (s *sender) slowest() (longest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.sent {
		if m.confirmed {
			longest = max(longest, m.confirmedAt.Sub(m.at))
		}
	}
	return longest
}

// outside returns the messages that were sent within none of the gaps.
func (s *sender) outside(numbers []int, gaps []amqpx.Gap) (untold []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range numbers {
		// The broker accepted it at some moment between its sending and its confirm.
		m := s.sent[n]
		by := m.confirmedAt
		if by.IsZero() {
			by = m.at.Add(slack)
		}
		if !slices.ContainsFunc(gaps, func(g amqpx.Gap) bool { return !by.Before(g.From) && !m.at.After(g.To) }) {
			untold = append(untold, n)
		}
	}
	return untold
}
