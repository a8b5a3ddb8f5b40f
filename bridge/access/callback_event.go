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
		case c.queue <- text:
			return
		default:
		}
	}
	if n := c.dropped.Add(1); n&(n-1) == 0 { // the first, second, fourth ...
		c.log.Warn("events for the callback are dropped, because it does not take them", "url", shownURL(c.url), "dropped", n)
	}
}

// run delivers events until the context ends, in their order. It ends whenever the configuration
// is replaced, and another run goes on with the event that could not be delivered yet.
func (c *callback) run(ctx context.Context) {
	defer c.client.CloseIdleConnections()
	for {
		if text := c.held; text != nil {
			c.held = nil
			c.deliver(ctx, text)
		}
		select {
		case <-ctx.Done():
			return
		case text := <-c.queue:
			c.deliver(ctx, text)
		}
	}
}

// deliver tells one event. One that the application refuses, or does not take several times, is
// dropped: it must not keep back all others. A request that is on its way is not cut: whether it
// arrived would be unknown.
func (c *callback) deliver(ctx context.Context, text []byte) {
	q := question{method: "POST", header: map[string][]string{"Content-Type": {"application/json"}}, body: text, event: true}
	for range eventAttempts {
		result := c.send(context.WithoutCancel(ctx), q)
		if result.outcome == yes {
			return
		}
		if result.outcome == no {
			break
		}
		timer := time.NewTimer(max(result.retry, eventRetry))
		select {
		case <-ctx.Done():
			timer.Stop()
			c.held = text
			return
		case <-timer.C:
		}
	}
	c.dropped.Add(1)
}
