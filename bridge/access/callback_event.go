package access

import (
	"context"
	"encoding/json"
	"time"
)

const (
	eventsMax     = 1024 // that wait
	eventAttempts = 3
	eventRetry    = time.Second
)

// eventQueue holds the events that the application is still to be told. It outlives a callback whose
// configuration is replaced.
type eventQueue struct {
	waiting chan []byte
	telling []byte // what is being told; nil if nothing is. It belongs to the goroutine that tells.
}

func newEventQueue() *eventQueue { return &eventQueue{waiting: make(chan []byte, eventsMax)} }

// next returns the next event, or nil once the context has ended.
func (q *eventQueue) next(ctx context.Context) []byte {
	if q.telling == nil && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case q.telling = <-q.waiting:
		}
	}
	return q.telling
}

// event queues an event, if the application wants its kind.
func (c *callback) event(p *Principal, e Event) {
	if !c.events[e.Op] {
		return
	}
	body := struct {
		Event  string          `json:"event"`
		Name   string          `json:"name"`
		Client string          `json:"client"`
		Path   string          `json:"path"`
		ID     string          `json:"id,omitempty"`
		Body   json.RawMessage `json:"body,omitempty"`
	}{Event: e.Op, Client: e.Client, Path: e.Path, ID: e.ID, Body: e.Body}
	if p != nil {
		body.Name = p.Name
	}
	text, err := json.Marshal(body)
	if err == nil {
		select {
		case c.queue.waiting <- text:
			return
		default:
		}
	}
	if n := c.dropped.Add(1); n&(n-1) == 0 { // the first, second, fourth ...
		c.log.Warn("events for the callback are dropped, because it does not take them", "url", shownURL(c.url), "dropped", n)
	}
}

// run delivers events until the context ends, in their order.
func (c *callback) run(ctx context.Context) {
	defer c.client.CloseIdleConnections()
	for {
		text := c.queue.next(ctx)
		if ctx.Err() != nil {
			return
		}
		if !c.deliver(ctx, text) {
			return // the next run sends it
		}
		c.queue.telling = nil
	}
}

// eventGrace is how long a request may take after the context has ended.
const eventGrace = time.Second

// finish is send for an event, which is not broken off when the configuration is replaced: the
// application may have it, and would be told twice.
func (c *callback) finish(ctx context.Context, q question) result {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(eventGrace, cancel) })()
	return c.send(late, q)
}

// deliver tells one event. One that the application refuses, or does not take several times, is
// dropped: it must not keep back all others. deliver returns false if the context ended before.
func (c *callback) deliver(ctx context.Context, text []byte) bool {
	q := question{method: "POST", header: map[string][]string{"Content-Type": {"application/json"}}, body: text, event: true}
	for range eventAttempts {
		result := c.finish(ctx, q)
		if result.outcome == yes {
			return true
		}
		if result.outcome == no {
			break
		}
		timer := time.NewTimer(max(result.retry, eventRetry))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return false
		}
	}
	c.dropped.Add(1)
	return true
}
