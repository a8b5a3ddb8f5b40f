package bridge_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
)

// source publishes numbered replies at a steady rate, whatever becomes of the
// broker, and knows what the broker made of each.
type source struct {
	url    string
	ended  sync.WaitGroup
	cancel context.CancelFunc

	// mu guards the following fields.
	mu   sync.Mutex
	fate []fate
}

// fate is what became of a reply.
type fate struct {
	sent     time.Time
	accepted bool // confirmed, and some queue had it
	returned bool // no queue wanted it
}

// startSource publishes to the exchange until the test ends or it is stopped.
func startSource(t *testing.T, url string, perSecond int) *source {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &source{url: url, cancel: cancel}
	s.ended.Go(func() {
		for ctx.Err() == nil {
			// An error is the broker's end; the next one comes.
			_ = s.publish(ctx, time.Second/time.Duration(perSecond))
		}
	})
	t.Cleanup(s.stop)
	return s
}

func (s *source) stop() {
	s.cancel()
	s.ended.Wait()
}

// publish goes on until the connection breaks or the context ends; then it waits
// for the last confirms.
func (s *source) publish(ctx context.Context, every time.Duration) error {
	conn, err := amqp.DialConfig(s.url, amqp.Config{Heartbeat: time.Minute, Dial: amqp.DefaultDial(time.Second)})
	if err != nil {
		time.Sleep(5 * time.Millisecond) // between two tries to connect
		return err
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := ch.ExchangeDeclare(actor.Exchange, "topic", false, true, false, false, nil); err != nil {
		return err
	}
	if err := ch.Confirm(false); err != nil {
		return err
	}
	const room = 1 << 16
	returns := ch.NotifyReturn(make(chan amqp.Return, room))
	confirms := ch.NotifyPublish(make(chan amqp.Confirmation, room))
	base := len(s.fates()) // the number of the first reply on this channel
	var settled sync.WaitGroup
	settled.Go(func() { s.settle(base, confirms, returns) })
	defer settled.Wait()
	defer ch.Close()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.awaitConfirms(ch, base)
		case <-tick.C:
		}
		n := s.next()
		err := ch.Publish(actor.Exchange, "reply.broadcast", true, false, amqp.Publishing{
			MessageId: strconv.Itoa(n),
			Headers:   amqp.Table{"message_code": "i", "sender": "source", "command_id": nil, "commander_id": nil, "internal": false},
			Body:      fmt.Appendf(nil, `{"n": %d}`, n),
		})
		if err != nil {
			return err
		}
	}
}

// next notes that a reply is sent now, and gives its number.
func (s *source) next() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fate = append(s.fate, fate{sent: time.Now()})
	return len(s.fate) - 1
}

// settle notes what the broker says of each reply. A return comes before its confirm.
func (s *source) settle(base int, confirms <-chan amqp.Confirmation, returns <-chan amqp.Return) {
	for c := range confirms {
		for more := true; more; {
			select {
			case r, ok := <-returns:
				if more = ok; ok {
					n, _ := strconv.Atoi(r.MessageId)
					s.note(n, func(f *fate) { f.returned = true })
				}
			default:
				more = false
			}
		}
		if c.Ack {
			s.note(base+int(c.DeliveryTag)-1, func(f *fate) { f.accepted = !f.returned })
		}
	}
}

func (s *source) note(n int, change func(*fate)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.fate[n])
}

// awaitConfirms returns when the last reply has its fate, or the channel ends.
func (s *source) awaitConfirms(ch *amqp.Channel, base int) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && !ch.IsClosed(); time.Sleep(time.Millisecond) {
		all := s.fates()
		if last := len(all) - 1; last < base || all[last].accepted || all[last].returned {
			return nil
		}
	}
	return ch.Close()
}

func (s *source) fates() []fate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]fate(nil), s.fate...)
}

// accepted is the numbers of the replies that the broker has accepted for
// somebody.
func (s *source) accepted() (all []int) {
	for n, f := range s.fates() {
		if f.accepted {
			all = append(all, n)
		}
	}
	return all
}
