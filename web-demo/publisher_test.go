package webdemo_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// publisher publishes numbered replies: {"n": 1}, {"n": 2} and so on.
type publisher struct {
	t  *testing.T
	ch *amqp.Channel
	n  int // the last number

	mu sync.Mutex // guards n while run publishes
}

// last returns the last number, also while others are being published.
func (p *publisher) last() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}

func (o *observatory) publisher(t *testing.T) *publisher {
	t.Helper()
	return &publisher{t: t, ch: testkit.OpenChannel(t, o.url)}
}

// senderOf returns the sender of a number. evenOf reports whether its reply has the keyword even.
func senderOf(n int) string { return []string{"weather", "dome", "roof"}[n%3] }
func evenOf(n int) bool     { return n%2 == 0 }

// next publishes the next number.
func (p *publisher) next() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	body := map[string]any{"n": p.n}
	if evenOf(p.n) {
		body["even"] = true
	}
	p.publish(senderOf(p.n), "i", p.n%5 == 0, jsonOf(p.t, body))
}

// text publishes a reply with a text.
func (p *publisher) text(sender, code, text string) {
	p.publish(sender, code, false, jsonOf(p.t, map[string]any{"text": text}))
}

// publish publishes a broadcast with this body.
func (p *publisher) publish(sender, code string, internal bool, body []byte) {
	err := p.ch.Publish(actor.Exchange, "reply.broadcast", false, false, amqp.Publishing{
		Headers:   amqp.Table{"message_code": code, "sender": sender, "command_id": nil, "commander_id": nil, "internal": internal},
		Timestamp: time.Now(), Body: body,
	})
	if err != nil {
		p.t.Error(err)
	}
}

// run publishes a hundred numbers a second until it is stopped, or the test ends.
func (p *publisher) run() (stop func()) {
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.next()
			case <-stopping:
				return
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		close(stopping)
		<-stopped
	})
	p.t.Cleanup(stop)
	return stop
}

// numbers returns the wanted numbers of a range.
func numbers(from, to int, wanted func(n int) bool) (all []int) {
	for n := from; n <= to; n++ {
		if wanted(n) {
			all = append(all, n)
		}
	}
	return all
}

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
