package bridge

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// maxWindows bounds the senders whose replies one group throttles, and the order
// keys that it remembers; what is beyond is delivered.
const maxWindows = 10_000

// group is all clients that have the same wishes. They share a log: what one of
// them gets, all get.
type group struct {
	key     string
	log     *engine.Log
	members []*member
	clients int

	// Of the reply that is being delivered.
	turn    uint64    // which one it is
	matched []*member // whose filters want it
}

// member is a selection in a group, and what was delivered by it.
type member struct {
	*selection
	group   *group
	windows map[string]*window // by sender
	orders  map[string]int64   // by order key: the highest delivered
}

// window is a time in which no more of a sender's replies are delivered. The last
// of them is held until its end.
type window struct {
	ends time.Time
	held *reply
	stop func() bool // its timer
}

// groupKey is the same for the same selections in any order.
func groupKey(selections []*selection) string {
	keys := make([]string, len(selections))
	for i, s := range selections {
		keys[i] = s.key
	}
	slices.Sort(keys)
	return strings.Join(slices.Compact(keys), "\n")
}

// deliver brings a reply to every group that wants it. mu is held.
func (h *hub) deliver(r *reply, owner *session) {
	if h.shelf.keywords > 0 {
		r.readKeywords()
	}
	h.turn++
	h.hits = h.hits[:0]
	h.shelf.each(r, owner, func(s *selection) {
		if !s.matches(r, owner) {
			return
		}
		for _, m := range s.members {
			h.hit(m, r)
		}
	})
	for _, g := range h.hits {
		h.give(g, r)
	}
}

// hit notes that a group wants the reply.
func (h *hub) hit(m *member, r *reply) {
	if m.stale(r) {
		return
	}
	g := m.group
	if g.turn != h.turn {
		g.turn, g.matched = h.turn, g.matched[:0]
		h.hits = append(h.hits, g)
	}
	g.matched = append(g.matched, m)
}

// stale tells whether a newer reply of the same order was delivered.
func (m *member) stale(r *reply) bool {
	if !m.ordered || !r.ordered {
		return false
	}
	last, ok := m.orders[r.orderKey]
	return ok && r.order < last
}

// give delivers the reply to a group, now or at the end of a window. What was held
// of its sender is older: it goes out before an urgent reply, which often ends what
// it told of; in place of any other one it is left out.
func (h *hub) give(g *group, r *reply) {
	urgent := r.urgent()
	now := urgent || slices.ContainsFunc(g.matched, func(m *member) bool { return m.throttle == 0 || m.windows[r.Sender] == nil })
	if urgent {
		for _, older := range heldOf(g.matched, &r.Sender) {
			g.release(older)
		}
	}
	for _, m := range g.matched {
		m.note(r)
		if m.throttle == 0 {
			continue
		}
		switch w := m.windows[r.Sender]; {
		case w == nil:
			h.openWindow(m, r.Sender, h.now())
		case now:
			w.held = nil
		default:
			w.held = r
		}
	}
	if now {
		g.log.Append(r.frame)
	}
}

// note remembers the reply's place in its order.
func (m *member) note(r *reply) {
	if !m.ordered || !r.ordered {
		return
	}
	if m.orders == nil {
		m.orders = map[string]int64{}
	}
	if _, known := m.orders[r.orderKey]; known || len(m.orders) < maxWindows {
		m.orders[r.orderKey] = r.order
	}
}

// openWindow begins a time in which the sender's replies are held.
func (h *hub) openWindow(m *member, sender string, from time.Time) {
	if m.windows == nil {
		m.windows = map[string]*window{}
	}
	if len(m.windows) >= maxWindows {
		return
	}
	w := &window{ends: from.Add(m.throttle)}
	m.windows[sender] = w
	w.stop = h.after(w.ends.Sub(h.now()), func() { h.closeWindows(m, sender, w) })
}

// closeWindows ends a window, and those of the same sender in the group that end
// by then, too. What they hold is delivered, in its order, and their next windows
// open; one that holds nothing is forgotten.
func (h *hub) closeWindows(m *member, sender string, w *window) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.windows[sender] != w {
		return // it was ended with another, or the group is gone
	}
	var due []*member
	for _, o := range m.group.members {
		if other := o.windows[sender]; other != nil && !other.ends.After(w.ends) {
			due = append(due, o)
		}
	}
	held := heldOf(due, &sender)
	for _, o := range due {
		other := o.windows[sender]
		other.stop()
		delete(o.windows, sender)
		if other.held != nil {
			h.openWindow(o, sender, w.ends)
		}
	}
	for _, r := range held {
		m.group.release(r)
	}
}

// release delivers a reply that was held, by which all members of the group have it.
func (g *group) release(r *reply) {
	for _, m := range g.members {
		if w := m.windows[r.Sender]; w != nil && w.held == r {
			w.held = nil
		}
	}
	g.log.Append(r.frame)
}

// heldOf are the replies that these members hold, each once, in their order: those
// of one sender, or with nil those of all.
func heldOf(members []*member, sender *string) (held []*reply) {
	note := func(w *window) {
		if w != nil && w.held != nil && !slices.Contains(held, w.held) {
			held = append(held, w.held)
		}
	}
	for _, m := range members {
		if sender != nil {
			note(m.windows[*sender])
			continue
		}
		for _, w := range m.windows {
			note(w)
		}
	}
	slices.SortFunc(held, func(a, b *reply) int { return cmp.Compare(a.seq, b.seq) })
	return held
}

// holds tells whether a reply is among those that the group holds; nil holds none.
func (g *group) holds(r *reply) bool {
	return g != nil && slices.ContainsFunc(g.members, func(m *member) bool {
		w := m.windows[r.Sender]
		return w != nil && w.held == r
	})
}

// held are the frames that a group holds, in order, each once.
func (g *group) held() []engine.Frame {
	var frames []engine.Frame
	for _, r := range heldOf(g.members, nil) {
		frames = append(frames, r.frame)
	}
	return frames
}

// enter gives the group of these selections for one client more. It is nil when
// there are too many groups. mu is held.
func (h *hub) enter(wishes []wish, s *session) *group {
	selections := make([]*selection, 0, len(wishes))
	for _, w := range wishes {
		selections = append(selections, h.shelf.take(w, s))
	}
	key := groupKey(selections)
	g := h.groups[key]
	if g == nil && len(h.groups) < maxGroups {
		g = &group{key: key, log: h.newLog()}
		h.groups[key] = g
		for _, sel := range selections {
			if !slices.ContainsFunc(sel.members, func(m *member) bool { return m.group == g }) {
				m := &member{selection: sel, group: g}
				sel.members = append(sel.members, m)
				g.members = append(g.members, m)
			}
		}
	}
	if g == nil {
		for _, sel := range selections {
			h.letGo(sel)
		}
		return nil
	}
	g.clients++
	return g
}

// leave takes a client out of its group, and forgets what nobody wants any more.
// mu is held.
func (h *hub) leave(g *group) {
	if g.clients--; g.clients > 0 {
		return
	}
	delete(h.groups, g.key)
	for _, m := range g.members {
		for _, w := range m.windows {
			w.stop()
		}
		m.windows = nil
		m.selection.members = without(m.selection.members, m)
		h.letGo(m.selection)
	}
	g.log.Close()
}

func (h *hub) letGo(s *selection) {
	if len(s.members) == 0 {
		h.shelf.drop(s)
	}
}

// afterFunc is time.AfterFunc, of which only the timer's Stop is wanted.
func afterFunc(d time.Duration, f func()) (stop func() bool) { return time.AfterFunc(d, f).Stop }
