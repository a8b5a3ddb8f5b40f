package hightemplar

import (
	"sync"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// shareFrom is the length of data from which on all subscriptions share it, each with a frame of its
// own in front. What is shorter is copied once for each requestId.
const shareFrom = 1 << 10

// hub has the rooms with subscriptions.
type hub struct {
	path    string // below which the rooms are
	counts  *counts
	metrics *dialect.Metrics
	place   func(seq uint64) string

	// mu guards the following field and the rooms. It is held while frames are passed on, so that
	// none follows the answer to unsubscribe.
	mu     sync.Mutex
	byPath map[string]*openRoom
}

// openRoom is a room with subscriptions.
type openRoom struct {
	path   string
	groups map[groupKey]*group
	placed int // groups with places
}

// groupKey says which frames a group gets.
type groupKey struct {
	id     string // the requestId as it was written
	placed bool   // with the places of messages
}

// group is the subscriptions of a room that get the same frames.
type group struct{ members []*subscription }

// subscription is that of a client to a room.
type subscription struct {
	conn  engine.Conn
	key   groupKey
	room  *openRoom
	index int // in its group
}

func newHub(path string, c *counts, m *dialect.Metrics, place func(seq uint64) string) *hub {
	return &hub{path: path, counts: c, metrics: m, place: place, byPath: map[string]*openRoom{}}
}

// pathOf returns the path of a room.
func (h *hub) pathOf(r room) string {
	if h.path == "/" {
		return "/" + r.name
	}
	return h.path + "/" + r.name
}

// subscribe adds a subscription, and then sends the answer.
func (h *hub) subscribe(conn engine.Conn, path, id string, answer engine.Frame) *subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	conn.Send(answer)
	return h.add(conn, path, groupKey{id: id})
}

// add adds a subscription. mu is held.
func (h *hub) add(conn engine.Conn, path string, key groupKey) *subscription {
	r := h.byPath[path]
	if r == nil {
		r = &openRoom{path: path, groups: map[groupKey]*group{}}
		h.byPath[path] = r
	}
	g := r.groups[key]
	if g == nil {
		g = &group{}
		r.groups[key] = g
		if key.placed {
			r.placed++
		}
	}
	s := &subscription{conn: conn, key: key, room: r, index: len(g.members)}
	g.members = append(g.members, s)
	h.metrics.Subscriptions(1)
	return s
}

// unsubscribe removes a subscription, and then sends the answer, if there is one.
func (h *hub) unsubscribe(s *subscription, answer engine.Frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.metrics.Subscriptions(-1)
	g := s.room.groups[s.key]
	last := len(g.members) - 1
	g.members[s.index] = g.members[last]
	g.members[s.index].index = s.index
	g.members[last] = nil
	if g.members = g.members[:last]; last == 0 {
		delete(s.room.groups, s.key)
		if s.key.placed {
			s.room.placed--
		}
	}
	if len(s.room.groups) == 0 {
		delete(h.byPath, s.room.path)
	}
	if answer != nil {
		s.conn.Send(answer)
	}
}

// deliver sends a message to the subscriptions of its room.
func (h *hub) deliver(m *rooms.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts.count(m.Whole)
	r := h.byPath[m.Path]
	if r == nil {
		return
	}
	if r.placed > 0 {
		r.deliverPlaced(m, h.counts, h.place(m.Seq))
	}
	if len(m.Body) >= shareFrom {
		r.deliverLong(m.Body, h.counts)
		return
	}
	for key, g := range r.groups {
		if key.placed {
			continue
		}
		f := publishFrame(m.Body, key.id)
		for _, s := range g.members {
			s.conn.Send(f)
		}
		h.counts.sent.Add(int64(len(g.members)))
	}
}

// deliverLong sends a message that all subscriptions share, in two fragments.
func (r *openRoom) deliverLong(data []byte, c *counts) {
	buf := make([]byte, engine.MaxHeaderSize, engine.MaxHeaderSize+len(data)+32)
	buf = append(append(append(buf, `"type": "publish", "data": `...), data...), '}')
	rest := engine.Must(engine.LastFragment(buf))
	for key, g := range r.groups {
		if key.placed {
			continue
		}
		id := key.id
		buf := make([]byte, engine.MaxHeaderSize, engine.MaxHeaderSize+len(id)+16)
		buf = append(append(append(buf, `{"requestId": `...), id...), ", "...)
		first := engine.Must(engine.FirstFragment(buf))
		for _, s := range g.members {
			s.conn.SendInOrder(first, rest)
		}
		c.sent.Add(int64(len(g.members)))
	}
}

// publishFrame returns the frame of a message.
func publishFrame(data []byte, id string) engine.Frame {
	buf := make([]byte, engine.MaxHeaderSize, engine.MaxHeaderSize+len(data)+len(id)+48)
	buf = append(append(buf, `{"type": "publish", "data": `...), data...)
	buf = append(append(append(buf, `, "requestId": `...), id...), '}')
	return engine.Must(engine.NewText(buf))
}

// len returns how many rooms have subscriptions.
func (h *hub) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.byPath)
}
