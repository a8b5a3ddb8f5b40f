//go:build unix

package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The codes and texts with which weather tells of problems now and then.
var complaints = []struct{ code, text string }{
	{"w", "motor 3 is hot"}, {"e", "encoder 1 is lost"}, {"w", "disk 80 % full"}, {"!", "coolant leak"},
}

// broadcast is what weather says as its n-th broadcast.
func broadcast(n int) amqp.Publishing {
	keywords := map[string]any{"n": n, "slow": n / 50, "flag": n/500%2 == 0}
	if n%2 == 0 {
		keywords["even"] = true
	}
	code := "i"
	if n%100 == 0 {
		c := complaints[n/100%len(complaints)]
		code, keywords["text"] = c.code, c.text
	}
	body, _ := json.Marshal(keywords)
	return amqp.Publishing{
		Headers:   amqp.Table{"message_code": code, "sender": "weather", "command_id": nil, "commander_id": nil, "internal": false},
		Timestamp: time.Now(), Body: body,
	}
}

// dome is an actor that ends each command that it gets, however often the broker goes: it repeats an answer until the broker
// has put it into a queue.
type dome struct {
	url  string
	got  func(id string, at time.Time)
	wake chan struct{} // has a token after an answer was added

	mu      sync.Mutex // guards the following fields
	answers []amqp.Publishing
	away    []span // without a connection
}

// span is a span of time; it has no end yet if to is zero.
type span struct{ from, to time.Time }

// confirms is how long dome waits for the broker's confirm of an answer, which RabbitMQ forgets at times (see
// testkit.Source), before it makes its connection anew and repeats the answer.
const confirms = 30 * time.Second

// slack is by how much what happens at one end of a connection may be noticed later at the other one.
const slack = 2 * time.Second

// overlaps reports whether any of the spans may have a moment in common with this one.
func overlaps(spans []span, from, to time.Time) bool {
	for _, s := range spans {
		if s.from.Add(-slack).Before(to) && (s.to.IsZero() || s.to.Add(slack).After(from)) {
			return true
		}
	}
	return false
}

func startDome(t testing.TB, url string, got func(id string, at time.Time)) *dome {
	t.Helper()
	d := &dome{url: url, got: got, wake: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_ = d.session(ctx, sync.OnceFunc(func() { d.back(); closeOnce(first) })) // on an error it connects again
			d.lost()
			testkit.PauseBeforeRetry(ctx)
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	testkit.Await(t, first)
	return d
}

// closeOnce closes a channel that may be closed already. It is for one goroutine.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

func (d *dome) lost() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.away); n == 0 || !d.away[n-1].to.IsZero() {
		d.away = append(d.away, span{from: time.Now()})
	}
}

func (d *dome) back() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.away); n > 0 {
		d.away[n-1].to = time.Now()
	}
}

// absences returns when it had no connection.
func (d *dome) absences() []span {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]span(nil), d.away...)
}

// session serves one connection, and calls ready once commands come.
func (d *dome) session(ctx context.Context, ready func()) error {
	conn, err := amqp.DialConfig(d.url, amqp.Config{Heartbeat: time.Minute, Dial: amqp.DefaultDial(5 * time.Second)})
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := ch.ExchangeDeclare(actor.Exchange, "topic", false, true, false, false, nil); err != nil {
		return err
	}
	q, err := ch.QueueDeclare("dome_commands", false, true, true, false, nil)
	if err == nil {
		err = ch.QueueBind(q.Name, "command.dome.#", actor.Exchange, false, nil)
	}
	if err != nil {
		return err
	}
	deliveries, err := ch.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		return err
	}
	ready()
	var answering sync.WaitGroup
	defer answering.Wait()
	lost := make(chan struct{})
	defer close(lost)
	answering.Go(func() {
		defer conn.Close()
		_ = d.answer(conn, lost) // on an error the connection is made anew
	})
	for delivery := range deliveries {
		d.take(delivery)
	}
	return nil
}

// take notes a command, and its answers.
func (d *dome) take(c amqp.Delivery) {
	id, _ := c.Headers["command_id"].(string)
	commander, _ := c.Headers["commander_id"].(string)
	d.got(id, time.Now())
	var body struct {
		Command string `json:"command_string"`
	}
	end := ":"
	if json.Unmarshal(c.Body, &body) == nil && body.Command == "jam" {
		end = "f"
	}
	d.mu.Lock()
	for _, code := range []string{">", "i", end} {
		d.answers = append(d.answers, amqp.Publishing{
			Headers:       amqp.Table{"message_code": code, "sender": "dome", "command_id": id, "commander_id": commander, "internal": false},
			CorrelationId: id, Body: []byte(`{"dome_open": true}`),
		})
	}
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// answer publishes the answers, each until a queue has it.
func (d *dome) answer(conn *amqp.Connection, lost <-chan struct{}) error {
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := ch.Confirm(false); err != nil {
		return err
	}
	returns := ch.NotifyReturn(make(chan amqp.Return, 10))
	gone := ch.NotifyClose(make(chan *amqp.Error, 1))
	for {
		next, ok := d.next()
		if !ok {
			select {
			case <-d.wake:
				continue
			case <-gone:
				return amqp.ErrClosed
			case <-lost:
				return nil
			}
		}
		accepted, err := publish(ch, next, returns, gone)
		if err != nil {
			return err
		}
		if accepted {
			d.mu.Lock()
			d.answers = d.answers[1:]
			d.mu.Unlock()
		} else {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			testkit.PauseBeforeRetry(ctx)
			cancel()
		}
	}
}

func (d *dome) next() (amqp.Publishing, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.answers) == 0 {
		return amqp.Publishing{}, false
	}
	return d.answers[0], true
}

// publish publishes an answer, and reports whether a queue has it.
func publish(ch *amqp.Channel, m amqp.Publishing, returns <-chan amqp.Return, gone <-chan *amqp.Error) (bool, error) {
	key := fmt.Sprintf("reply.%v", m.Headers["commander_id"])
	confirm, err := ch.PublishWithDeferredConfirm(actor.Exchange, key, true, false, m)
	if err != nil {
		return false, err
	}
	late := time.NewTimer(confirms)
	defer late.Stop()
	select {
	case <-confirm.Done():
	case <-gone:
		return false, amqp.ErrClosed
	case <-late.C:
		return false, errors.New("the broker does not confirm an answer")
	}
	select {
	case <-returns: // comes before its confirm
		return false, nil
	default:
		return confirm.Acked(), nil
	}
}
