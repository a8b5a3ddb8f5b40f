package simulation

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx/broker"
)

// reply is one reply that an actor published.
type reply struct {
	id        string
	sender    string
	code      string
	keyword   string
	value     int
	order     int64
	commandID string
	sent      time.Time
	routed    int       // its position among the routed replies, from 1 on; 0 if it was not routed
	numbered  time.Time // when the hub numbered it
	seq       uint64
}

func (r *reply) urgent() bool { return r.code == ":" || r.code == "f" || r.code == "e" }

// actors are all programs on the exchange except the bridge. They share one connection, which has no latency
// and breaks only with the broker: what they receive, and when, shows what the broker did.
type actors struct {
	w     *world
	names []string
	done  chan struct{}
	tasks sync.WaitGroup

	mu      sync.Mutex // guards the following fields
	conn    *amqp.Connection
	publish *amqp.Channel
	serve   *amqp.Channel
	here    map[string]bool // actors that consume commands
	count   int             // of replies published
	orders  map[string]int64
}

var actorNames = []string{"dome", "lamp", "spec"}

func newActors(w *world) *actors {
	return &actors{w: w, names: actorNames, done: make(chan struct{}), here: map[string]bool{}, orders: map[string]int64{}}
}

func (a *actors) must(err error) {
	if err != nil {
		a.w.fail("the actors' connection: %v", err)
	}
}

// join connects the actors to a broker.
func (a *actors) join(b *broker.Broker) {
	conn, err := amqp.DialConfig("amqp://guest:guest@actors/", amqp.Config{Dial: b.Dial, Heartbeat: time.Hour})
	if err != nil {
		a.w.fail("the actors cannot connect: %v", err)
		return
	}
	publish, err := conn.Channel()
	a.must(err)
	serve, err := conn.Channel()
	a.must(err)
	tap, err := conn.Channel()
	a.must(err)
	a.must(publish.ExchangeDeclare(exchange, "topic", false, true, false, false, nil))
	_, err = tap.QueueDeclare("tap", false, false, true, false, nil)
	a.must(err)
	a.must(tap.QueueBind("tap", "reply.#", exchange, false, nil))
	copies, err := tap.Consume("tap", "", true, false, false, false, nil)
	a.must(err)
	a.tasks.Go(func() {
		for d := range copies {
			a.w.routed(d.MessageId)
		}
	})
	a.mu.Lock()
	a.conn, a.publish, a.serve = conn, publish, serve
	a.mu.Unlock()
	for _, name := range a.names {
		a.arrive(name)
	}
}

// routed records that the broker has routed a reply.
func (w *world) routed(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.byID[id]
	w.replies = append(w.replies, r)
	r.routed = len(w.replies)
}

// arrive has an actor consume commands.
func (a *actors) arrive(name string) {
	a.mu.Lock()
	serve, here := a.serve, a.here[name]
	a.here[name] = true
	a.mu.Unlock()
	if here {
		return
	}
	queue := actor.CommandsQueue(name)
	_, err := serve.QueueDeclare(queue, false, false, true, false, nil)
	a.must(err)
	a.must(serve.QueueBind(queue, "command."+name+".#", exchange, false, nil))
	commands, err := serve.Consume(queue, name, false, false, false, false, nil)
	a.must(err)
	a.tasks.Go(func() {
		for d := range commands {
			a.take(name, d)
		}
	})
}

// depart deletes an actor's queue.
func (a *actors) depart(name string) {
	a.mu.Lock()
	serve, here := a.serve, a.here[name]
	a.here[name] = false
	a.mu.Unlock()
	if here {
		_, err := serve.QueueDelete(actor.CommandsQueue(name), false, false, false)
		a.must(err)
	}
}

// take handles a command. Some are requeued first, and are delivered again.
func (a *actors) take(name string, d amqp.Delivery) {
	id, _ := d.Headers["command_id"].(string)
	commander, _ := d.Headers["commander_id"].(string)
	n, _ := strconv.Atoi(id[len(id)-commandDigits:])
	rng := a.w.source("command", n)
	requeue := rng.IntN(10) == 0
	a.w.mu.Lock()
	c := a.w.commands[n]
	if !d.Redelivered {
		c.routed = append(c.routed, time.Now())
	}
	a.w.mu.Unlock()
	a.w.note("%s receives %s, redelivered %v", name, id, d.Redelivered)
	if requeue && !d.Redelivered {
		_ = d.Nack(false, true)
		if rng.IntN(2) == 0 {
			return
		}
	} else {
		_ = d.Ack(false)
	}
	a.tasks.Go(func() { a.answer(name, id, commander, rng) })
}

// answer replies to a command, and nearly always ends it.
func (a *actors) answer(name, id, commander string, rng *rand.Rand) {
	codes := []string{">", "i", "i"}[:1+rng.IntN(3)]
	switch rng.IntN(12) {
	case 0: // no last reply
	case 1, 2:
		codes = append(codes, "f")
	default:
		codes = append(codes, ":")
	}
	for _, code := range codes {
		if !a.pause(time.Duration(rng.ExpFloat64() * float64(150*time.Millisecond))) {
			return
		}
		a.say(name, code, id, commander, rng)
	}
}

// pause waits, and reports whether the actors are still running.
func (a *actors) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-a.done:
		return false
	case <-timer.C:
		return true
	}
}

// say publishes a reply.
func (a *actors) say(name, code, commandID, commander string, rng *rand.Rand) {
	r := &reply{sender: name, code: code, commandID: commandID, sent: time.Now()}
	r.keyword, r.value = fmt.Sprintf("%s_%d", name, rng.IntN(3)), rng.IntN(1_000_000)
	key := "reply.broadcast"
	if commander != "" {
		key = "reply." + commander
	}
	a.mu.Lock()
	a.count++
	a.orders[name]++
	r.id = fmt.Sprintf("reply-%06d", a.count)
	if r.order = a.orders[name]; rng.IntN(5) == 0 {
		r.order -= rng.Int64N(4)
	}
	publish := a.publish
	a.mu.Unlock()
	a.w.mu.Lock()
	a.w.byID[r.id] = r
	a.w.mu.Unlock()
	headers := amqp.Table{"message_code": code, "sender": name, "command_id": nil, "commander_id": nil, "internal": false, "order": r.order}
	if commandID != "" {
		headers["command_id"], headers["commander_id"] = commandID, commander
	}
	err := publish.Publish(exchange, key, false, false, amqp.Publishing{
		Headers: headers, ContentType: "text/json", CorrelationId: commandID, MessageId: r.id, Timestamp: time.Now(),
		Body: fmt.Appendf(nil, `{"%s": %d}`, r.keyword, r.value),
	})
	a.w.note("%s says %s %s, %v", name, code, r.id, err)
}

// start has the actors publish replies that answer no command.
func (a *actors) start() {
	for i, name := range a.names {
		rng := a.w.source("actor", i)
		mean := time.Duration(600+rng.IntN(4000)) * time.Millisecond
		a.tasks.Go(func() {
			for a.pause(time.Duration(rng.ExpFloat64() * float64(mean))) {
				for range 1 + rng.IntN(3)*rng.IntN(4) {
					a.say(name, []string{"i", "i", "d", "w", "e"}[rng.IntN(5)], "", "", rng)
				}
			}
		})
	}
}

// stop ends all publishing.
func (a *actors) stop() {
	close(a.done)
}

// leave closes the connection.
func (a *actors) leave() {
	a.mu.Lock()
	conn := a.conn
	a.mu.Unlock()
	_ = conn.Close()
	a.tasks.Wait()
}

// lose closes the connection to a broker that has ended.
func (a *actors) lose() {
	a.mu.Lock()
	conn := a.conn
	clear(a.here)
	a.mu.Unlock()
	_ = conn.Close()
}
