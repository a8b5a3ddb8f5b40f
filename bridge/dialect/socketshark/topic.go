package socketshark

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// Bounds of what is kept for a client while it subscribes.
const (
	maxProvisional      = 1000
	maxProvisionalBytes = 1 << 20
)

// topic is what clients subscribe to, such as books.1.
type topic struct {
	d       *Dialect
	name    string
	path    string // of its room
	service *service
	users   int // guarded by d.mu

	// mu guards the following fields and the subscriptions' places in them. Frames are sent with it
	// held, which keeps their order.
	mu          sync.Mutex
	groups      map[string]*group
	provisional map[*subscription]struct{} // which are not confirmed yet
	last        uint64                     // the number of the last message
	longest     time.Duration              // the longest throttle so far
}

// group has the subscriptions that get the same bytes, and are filtered alike.
type group struct {
	key     string
	extra   object
	placed  bool              // the messages have places
	filters map[string]string // canonical values of the service's filter fields
	cohorts []*cohort
}

// cohort has the subscriptions of a group that have had the same messages.
type cohort struct {
	topic   *topic
	group   *group
	flow    flow
	members []*subscription
	since   int // messages since it was compared with the first cohort
}

// deliver delivers what was published.
func (t *topic) deliver(published *rooms.Message) {
	m, err := t.parseMessage(published)
	if err != nil {
		t.d.host.Metrics.Dropped()
		t.d.drops.Note(err.Error(), "subscription", t.name, "bytes", len(published.Whole))
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = published.Seq
	for sub := range t.provisional {
		sub.keep(m)
	}
	for _, g := range t.groups {
		g.deliver(t, m)
	}
}

func (g *group) deliver(t *topic, m *message) {
	if !g.passes(m.filters) {
		return
	}
	var frame engine.Frame
	for _, c := range g.cohorts {
		if c.takes(m, m.receivedAt) {
			if frame == nil {
				frame = g.frame(t, m, false, false)
			}
			c.send(frame)
		}
	}
	if len(g.cohorts) > 1 {
		g.settle(m.receivedAt)
	}
}

// passes reports whether the group gets messages with these fields.
func (g *group) passes(fields map[string]string) bool {
	for name, value := range fields {
		if g.filters[name] != value {
			return false
		}
	}
	return true
}

// takes reports whether the cohort gets a message now.
func (c *cohort) takes(m *message, now time.Time) bool {
	return c.flow.advance(c.topic.d, m.options) && !c.flow.hold(c, m, now)
}

func (c *cohort) send(f engine.Frame) {
	for _, sub := range c.members {
		sub.session.conn.Send(f)
	}
}

// sendPending sends the message that is pending for a throttled key.
func (c *cohort) sendPending(w *throttle) {
	m := w.take(c.topic.d)
	w.last = c.topic.d.host.Now()
	c.send(c.group.frame(c.topic, m, true, false))
}

// settle joins the cohorts that have become equal. How often it looks depends on how much there is to
// compare. Those that began one after the other have the most in common.
func (g *group) settle(now time.Time) {
	for i := len(g.cohorts) - 1; i > 0; i-- {
		c := g.cohorts[i]
		if c.since++; c.since > (len(c.flow.orders)+len(c.flow.throttles))/16 {
			c.since = 0
			g.join(i, now)
		}
	}
}

// join joins a cohort with the one before it if they are equal.
func (g *group) join(i int, now time.Time) {
	c, before := g.cohorts[i], g.cohorts[i-1]
	if !before.flow.equals(c.topic, &c.flow, now) {
		return
	}
	for _, sub := range c.members {
		before.add(sub)
	}
	c.flow.end(c.topic.d)
	g.cohorts = slices.Delete(g.cohorts, i, i+1)
}

func (c *cohort) add(sub *subscription) {
	sub.cohort, sub.index = c, len(c.members)
	c.members = append(c.members, sub)
}

// remove removes a subscription from its cohort. The cohort stays in its group.
func (c *cohort) remove(sub *subscription) {
	last := len(c.members) - 1
	moved := c.members[last]
	c.members[sub.index], moved.index = moved, sub.index
	c.members[last] = nil
	c.members = c.members[:last]
	sub.cohort = nil
}

// begin keeps what is published for a subscription that is not confirmed yet.
func (t *topic) begin(sub *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.provisional[sub] = struct{}{}
}

// keep keeps a message until the subscription is confirmed.
func (sub *subscription) keep(m *message) {
	d := sub.topic.d
	if len(sub.kept) >= maxProvisional || sub.keptBytes+m.size > maxProvisionalBytes || d.waiting.Load() >= maxWaiting {
		sub.missed = true
		return
	}
	m.hold(d)
	sub.keptBytes += m.size
	sub.kept = append(sub.kept, m)
}

// confirm makes a subscription get messages, after a frame and what was kept for it. own is what filters
// them. answer is that of the backend, which may have an order. It returns false if messages could not be
// kept.
func (t *topic) confirm(sub *subscription, own, answer object, ok func() engine.Frame) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept, missed, had := sub.kept, sub.missed, sub.had
	t.dropProvisional(sub)
	if missed {
		return false
	}
	now := t.d.host.Now()
	g := t.groupFor(sub, own)
	c := &cohort{topic: t, group: g}
	c.add(sub)
	seed := &message{options: optionsOf(answer)}
	c.takes(seed, now)
	for _, m := range had {
		if g.passes(m.filters) {
			c.flow.advance(t.d, m.options)
		}
	}
	frames := []engine.Frame{ok()}
	for _, m := range kept {
		if g.passes(m.filters) && c.takes(m, now) {
			frames = append(frames, g.frame(t, m, true, true))
		}
	}
	sub.session.conn.SendInOrder(frames...) // which may be more than a client's other frames
	g.begin(c, now)
	return true
}

// begin adds a cohort, which the one before it takes in if they are equal.
func (g *group) begin(c *cohort, now time.Time) {
	g.cohorts = append(g.cohorts, c)
	if last := len(g.cohorts) - 1; last > 0 {
		g.join(last, now)
	}
}

func (t *topic) dropProvisional(sub *subscription) {
	delete(t.provisional, sub)
	sub.forget()
}

// forget drops what is kept for a subscription. topic.mu is held.
func (sub *subscription) forget() {
	for _, m := range sub.kept {
		m.release(sub.topic.d)
	}
	sub.kept, sub.keptBytes, sub.missed, sub.had = nil, 0, false, nil
}

// end ends a subscription, confirmed or not.
func (t *topic) end(sub *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropProvisional(sub)
	t.leave(sub)
}

// leave takes a subscription out of its group.
func (t *topic) leave(sub *subscription) {
	c := sub.cohort
	if c == nil {
		return
	}
	c.remove(sub)
	if len(c.members) > 0 {
		return
	}
	c.flow.end(t.d)
	g := c.group
	i := slices.Index(g.cohorts, c)
	g.cohorts = slices.Delete(g.cohorts, i, i+1)
	if len(g.cohorts) == 0 {
		delete(t.groups, g.key)
	}
}

// regroup moves a subscription whose filters have changed: its client has logged in as another, or its
// authorizer says something else. It keeps what it has had.
func (t *topic) regroup(sub *subscription) {
	if len(t.service.FilterFields) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	own := sub.own() // with the lock held, so that the last of two that regroup has the last fields
	old := sub.cohort
	if old == nil {
		return
	}
	g := t.groupFor(sub, own)
	if g == old.group {
		return
	}
	now := t.d.host.Now()
	c := &cohort{topic: t, group: g}
	old.flow.copyTo(c, now)
	t.leave(sub)
	c.add(sub)
	g.begin(c, now)
}

// groupFor returns the group that a subscription belongs to.
func (t *topic) groupFor(sub *subscription, own object) *group {
	filters := map[string]string{}
	key := strings.Builder{}
	key.Write(sub.extra.encode())
	if sub.since != nil {
		key.WriteString("\x00" + placeField)
	}
	for _, f := range t.service.FilterFields {
		filters[f] = canonical(own.get(f))
		key.WriteString("\x00" + filters[f])
	}
	g := t.groups[key.String()]
	if g == nil {
		g = &group{key: key.String(), extra: sub.extra, placed: sub.since != nil, filters: filters}
		t.groups[g.key] = g
	}
	return g
}

// collect adds the sessions of all subscriptions.
func (t *topic) collect(sessions map[*session]struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for sub := range t.provisional {
		sessions[sub.session] = struct{}{}
	}
	for _, g := range t.groups {
		for _, c := range g.cohorts {
			for _, sub := range c.members {
				sessions[sub.session] = struct{}{}
			}
		}
	}
}
