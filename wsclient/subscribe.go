package wsclient

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// Subscription brings what a program has asked to hear, over all connections of its client.
type Subscription struct {
	client  *Client
	id      string
	options SubscribeOptions
	filter  *filter.Filter  // nil if it selects no replies
	raw     json.RawMessage // the filter as it is sent
	queue   *queue
	lag     *lagWatch
	lane    *lane         // guarded by the client's lock
	ready   chan struct{} // closed when the server serves it, or it has ended

	// Guarded by the client's lock.
	accepted bool
	stale    bool            // the last values are to come: they were asked for, or replies were left out
	err      error           // why it has ended
	data     json.RawMessage // of an application that decides about it
}

// Subscribe begins a subscription, and returns once the server serves it. If there is no connection, it waits for one. The
// context is for this wait alone. The error is a [*RequestError] if the bridge refuses the subscription.
func (c *Client) Subscribe(ctx context.Context, options SubscribeOptions) (*Subscription, error) {
	sub, err := c.newSubscription(options)
	if err != nil {
		return nil, err
	}
	if err := c.add(sub); err != nil {
		return nil, err
	}
	select {
	case <-sub.ready:
		c.mu.Lock()
		defer c.mu.Unlock()
		if sub.err != nil {
			return nil, sub.err
		}
		return sub, nil
	case <-ctx.Done():
		sub.Close()
		return nil, ctx.Err()
	}
}

func (c *Client) newSubscription(options SubscribeOptions) (*Subscription, error) {
	lag, err := newLagWatch(&options)
	if err != nil {
		return nil, err
	}
	sub := &Subscription{client: c, lag: lag, options: options, queue: newQueue(options.Buffer, options.Lossless), ready: make(chan struct{})}
	if !options.NoReplies {
		sub.raw = options.RawFilter
		if sub.raw == nil {
			raw, err := json.Marshal(options.Filter)
			if err != nil {
				return nil, err
			}
			sub.raw = raw
		}
		parsed, err := filter.Parse(sub.raw)
		if err != nil {
			return nil, &RequestError{Op: "subscribe", Code: "bad_request", Message: err.Error()}
		}
		sub.filter = parsed
	}
	sub.stale = options.Snapshot
	sub.lane = newLane(sub.selects, sub.deliver)
	sub.lane.throttle = options.Throttle > 0
	return sub, nil
}

// add makes the subscription one of the client's.
func (c *Client) add(sub *Subscription) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == Closed:
		return c.why
	case len(c.subs) >= maxSubscriptions:
		return &RequestError{Op: "subscribe", Code: "full", Message: fmt.Sprintf("a client has at most %d subscriptions; close some", maxSubscriptions)}
	}
	sub.id = c.newID("sub")
	c.subs = append(c.subs, sub)
	if s := c.session; s != nil && s.greeted {
		c.beginOn(s, sub)
	}
	return nil
}

// beginOn begins a subscription on a connection that has begun before.
func (c *Client) beginOn(s *session, sub *Subscription) {
	if !s.v1 {
		sub.startPlain()
		return
	}
	others := slices.ContainsFunc(c.subs, func(o *Subscription) bool { return o != sub && o.selectsReplies() })
	c.request(s, sub, others)
}

// Close ends the subscription. Events that wait can still be read.
func (s *Subscription) Close() {
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.err != nil {
		return
	}
	if at := c.session; at != nil && at.greeted && at.v1 {
		at.ask(s.id, map[string]any{"op": "unsubscribe"}, func(*message, error) bool { return false })
		c.answered(at, s.id)
	}
	c.remove(s, ErrClosed)
}

// Data returns what the application that decided about the subscription has for this client; nil without one.
func (s *Subscription) Data() json.RawMessage {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.data
}

// remove ends a subscription, with the lock held.
func (c *Client) remove(sub *Subscription, why error) {
	c.subs = slices.DeleteFunc(slices.Clone(c.subs), func(o *Subscription) bool { return o == sub })
	sub.end(why)
}

// end is the end of a subscription, with the lock held.
func (s *Subscription) end(why error) {
	if s.err != nil {
		return
	}
	s.err = why
	s.queue.end(why)
	if !s.accepted {
		close(s.ready)
	}
}

// accept takes note that the server serves the subscription.
func (s *Subscription) accept(data json.RawMessage) {
	s.data = data
	s.lane.live = true
	if !s.accepted {
		s.accepted = true
		close(s.ready)
	}
}

// startPlain begins the subscription with CLU's own server, which sends every reply to everyone.
func (s *Subscription) startPlain() {
	if len(s.options.Notices) > 0 || len(s.options.Rooms) > 0 {
		s.client.remove(s, fmt.Errorf("notices and rooms: %w", ErrUnsupported))
		return
	}
	s.lane.mark, s.lane.epoch = -1, ""
	s.accept(nil)
}

func (s *Subscription) selectsReplies() bool { return s.filter != nil }

// selects reports whether the subscription selects a reply. The client repeats what the bridge does, because a reply that
// several of its subscriptions select comes once.
func (s *Subscription) selects(r *Reply) bool {
	if s.filter == nil {
		return false
	}
	fields := filter.Reply{Sender: r.Sender, RoutingKey: r.RoutingKey, Code: r.Code, CommandID: r.CommandID, Commander: r.CommanderID, Internal: r.Internal}
	if s.filter.NeedsKeywords() {
		fields.Keywords = jsonscan.Keys(nil, r.Body)
	}
	return s.filter.MatchMine(&fields, s.filter.Mine() && s.client.own.match(r) != nil)
}

// deliver passes on what the lane has put in order. Until the last values came here they are asked for again.
func (s *Subscription) deliver(e Event) {
	if _, ok := e.(*Snapshot); ok {
		s.stale = false
	}
	s.queue.put(e)
}

func (s *Subscription) hasNotice(kind string) bool { return slices.Contains(s.options.Notices, kind) }

// request asks the bridge for a subscription: from where it was, if it had begun. If there are others, what it missed is put
// in order with theirs.
func (c *Client) request(s *session, sub *Subscription, others bool) {
	o := &sub.options
	fields := map[string]any{"op": "subscribe"}
	if len(o.Notices) > 0 {
		fields["notices"] = o.Notices
	}
	if len(o.Rooms) > 0 {
		fields["rooms"] = o.Rooms
	}
	if o.Throttle > 0 {
		fields["throttle_ms"] = milliseconds(o.Throttle)
	}
	if o.Batch > 0 {
		fields["batch_ms"] = milliseconds(o.Batch)
	}
	if o.Ordered {
		fields["ordered"] = true
	}
	if o.Extra != nil {
		fields["extra"] = o.Extra
	}
	var since *Position
	if sub.selectsReplies() {
		fields["filter"] = sub.raw
		again := sub.lane.cursor()
		if since = again; since == nil {
			since = o.Since
		}
		// A reply that was held back by the throttle when the connection broke does not come again: its values do.
		if sub.stale || o.Throttle > 0 && again != nil {
			fields["snapshot"] = true
		}
	}
	if since != nil {
		fields["since"] = since
	}
	c.resume(s, sub.id, sub.lane, since, others)
	place, placed := c.position, c.placed
	s.ask(sub.id, fields, func(m *message, err error) bool {
		if m == nil { // the connection is lost; the next one asks again
			return false
		}
		if err != nil {
			c.remove(sub, err)
			c.answered(s, sub.id)
			return false
		}
		s.progress.answer(sub.lane, m)
		if m.Resumed != nil && !*m.Resumed {
			sub.restart(s, m)
		} else if since == nil && placed {
			sub.lane.start(place)
		}
		sub.accept(m.Data)
		c.answered(s, sub.id)
		return false
	})
}

// restart handles that what the subscription missed is gone.
func (s *Subscription) restart(at *session, m *message) {
	s.stale = true
	s.lane.gap(s.client.missed(at, m.Reason), "")
	if p, ok := m.place(); ok {
		s.lane.restart(p)
	}
}

// brokerDelay is how long a reply may be on its way from the broker to a bridge that does not say that it hears none. One that was
// published so shortly before a connection was last heard of may not have come over it.
const brokerDelay = 5 * time.Second

// missed returns the gap since the last connection, the same for all subscriptions, by the bridge's clock.
func (c *Client) missed(s *session, reason string) Gap {
	if s.missed == nil {
		now := c.clock.now()
		s.missed = &Gap{To: now, Reason: reason}
		if !c.lastHeard.IsZero() {
			s.missed.From = now.Add(-time.Since(c.lastHeard) - brokerDelay)
		}
	}
	return *s.missed
}

func milliseconds(d time.Duration) int64 {
	return max(1, int64(d/time.Millisecond))
}

// resume prepares the lane of a request for what was missed. Once a second request follows, what comes is not in order.
func (c *Client) resume(s *session, id string, l *lane, since *Position, others bool) {
	s.disorder()
	if since == nil {
		return
	}
	l.late = -1
	if c.placed {
		l.late = int64(c.position.Seq)
	}
	if l.mark < 0 {
		l.start(*since)
	}
	s.resuming[id] = true
	if others || len(s.resuming) > 1 {
		l.holding = true
	} else {
		s.direct = l
	}
}

// disorder takes note that what a subscription missed no longer comes in order.
func (s *session) disorder() {
	if s.direct != nil {
		s.direct.holding = true
		s.direct = nil
	}
}

// answered takes note of the answer to a request for replies. Once all have come, a ping marks the end of what was missed.
func (c *Client) answered(s *session, id string) {
	delete(s.resuming, id)
	if len(s.resuming) > 0 {
		return
	}
	s.marker = c.newID("mark")
	s.ask(s.marker, map[string]any{"op": "ping"}, func(*message, error) bool { return false })
}

// unsubscribed ends a subscription whose right was withdrawn.
func (c *Client) unsubscribed(s *session, m *message) {
	for _, sub := range c.subs {
		if m.ID != nil && sub.id == *m.ID {
			text := m.Message
			if text == "" {
				text = "this client may no longer hear what it subscribed to"
			}
			c.remove(sub, &RequestError{Op: "subscribe", Code: m.Code, Message: text})
			c.answered(s, sub.id)
			return
		}
	}
}

// snapshot passes the last values to the subscription that asked for them.
func (c *Client) snapshot(s *session, id string, raw json.RawMessage) {
	for _, sub := range c.subs {
		if sub.id == id {
			if snapshot, err := parseSnapshot(raw, hearsActors(c.hello.Broker)); err == nil {
				s.progress.snapshot(sub.lane)
				sub.lane.snapshot(snapshot)
			}
		}
	}
}

// losslessQueues returns the queues for which the reader waits.
func (c *Client) losslessQueues() (queues []*queue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, sub := range c.subs {
		if sub.options.Lossless {
			queues = append(queues, sub.queue)
		}
	}
	return queues
}
