package bridge

import (
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
	held *reply
	end  func() bool // stops its timer
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

// give delivers the reply to a group, now or at the end of a window.
func (h *hub) give(g *group, r *reply) {
	now := r.urgent() || slices.ContainsFunc(g.matched, func(m *member) bool { return m.throttle == 0 || m.windows[r.Sender] == nil })
	for _, m := range g.matched {
		m.note(r)
		if m.throttle == 0 {
			continue
		}
		w := m.windows[r.Sender]
		switch {
		case w == nil:
			h.openWindow(m, r.Sender)
		case !now:
			w.held = r
		case r.urgent():
			h.release(m, w)
		default:
			w.held = nil // the newer one is delivered
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
func (h *hub) openWindow(m *member, sender string) {
	if m.windows == nil {
		m.windows = map[string]*window{}
	}
	if len(m.windows) >= maxWindows {
		return
	}
	w := &window{}
	m.windows[sender] = w
	w.end = h.after(m.throttle, func() { h.closeWindow(m, sender, w) })
}

// closeWindow delivers what a window holds, and opens the next; one that holds
// nothing is forgotten.
func (h *hub) closeWindow(m *member, sender string, w *window) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.windows[sender] != w {
		return // the group is gone
	}
	delete(m.windows, sender)
	if w.held != nil {
		h.release(m, w)
		h.openWindow(m, sender)
	}
}

// release delivers what a window holds, by which all members of the group have it.
func (h *hub) release(m *member, w *window) {
	r := w.held
	if r == nil {
		return
	}
	for _, other := range m.group.members {
		if o := other.windows[r.Sender]; o != nil && o.held == r {
			o.held = nil
		}
	}
	w.held = nil
	m.group.log.Append(r.frame)
}

// held are the frames that a group holds, in order, each once.
func (g *group) held() []engine.Frame {
	var replies []*reply
	for _, m := range g.members {
		for _, w := range m.windows {
			if w.held != nil && !slices.Contains(replies, w.held) {
				replies = append(replies, w.held)
			}
		}
	}
	slices.SortFunc(replies, func(a, b *reply) int { return int(a.seq) - int(b.seq) })
	frames := make([]engine.Frame, len(replies))
	for i, r := range replies {
		frames[i] = r.frame
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
			w.end()
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
