package bridge

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// maxRooms is how many rooms may have clients that connected to them, and how many
// a subscription may name.
const (
	maxRooms      = 10_000
	maxRoomsAsked = 64
)

// rooms are those with clients that connected to a room's path. They follow the
// room's log from the answer to their request on, so the log must be there on the
// engine's loop: these rooms are not the hub's.
type rooms struct {
	newLog func() *engine.Log

	// mu guards the following fields, and the clients of the rooms. It is not held
	// while frames are appended: the loops ask for it.
	mu     sync.Mutex
	byPath map[string]*room
	index  pathIndex[*room]
	count  int // clients
}

// room has at least one client.
type room struct {
	path    string
	log     *engine.Log
	clients int
}

func newRooms(newLog func() *engine.Log) *rooms {
	return &rooms{newLog: newLog, byPath: map[string]*room{}, index: pathIndex[*room]{}}
}

var errTooManyRooms = errors.New("too many rooms of this bridge have clients; try again later")

// enter gives the room of a path for one client more.
func (rs *rooms) enter(path string) (*room, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.byPath[path]
	if r == nil {
		if len(rs.byPath) >= maxRooms {
			return nil, errTooManyRooms
		}
		r = &room{path: path, log: rs.newLog()}
		rs.byPath[path] = r
		rs.index.add(path, r)
	}
	r.clients++
	rs.count++
	return r, nil
}

// leave takes a client out of its room.
func (rs *rooms) leave(r *room) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.count--
	if r.clients--; r.clients > 0 {
		return
	}
	delete(rs.byPath, r.path)
	rs.index.remove(r.path, r)
	r.log.Close()
}

// deliver brings a frame to the rooms at and below a path.
func (rs *rooms) deliver(path string, frame engine.Frame) {
	rs.mu.Lock()
	wanted := slices.Clone(rs.index[path])
	rs.mu.Unlock()
	for _, r := range wanted {
		r.log.Append(frame)
	}
}

// figures are how many rooms have clients of their own, and how many clients.
func (rs *rooms) figures() (rooms, clients int) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return len(rs.byPath), rs.count
}

// roomFrame is a message for rooms, raw: a text frame, if it is text.
func roomFrame(body []byte) engine.Frame {
	if utf8.Valid(body) {
		return engine.Text(string(body))
	}
	return engine.Binary(body)
}

// broadcast brings a message for rooms to the v1 clients that subscribed to them:
// once to each, whatever the number of its rooms.
func (h *hub) broadcast(path string, frame engine.Frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.turn++
	for _, s := range h.shelf.byRoom[path] {
		for _, m := range s.members {
			if g := m.group; g.turn != h.turn {
				g.turn = h.turn
				g.log.Append(frame)
			}
		}
	}
}

// readRooms reads the rooms of a subscription, which then hears replies only if it
// has a filter, too.
func (b *Bridge) readRooms(f fields, d *demand) error {
	var paths []string
	if err := optional(f, "rooms", "a list of paths", &paths); err != nil {
		return err
	}
	if raw, ok := f["rooms"]; !ok || string(raw) == "null" {
		return nil
	}
	if len(paths) == 0 || len(paths) > maxRoomsAsked {
		return fmt.Errorf(`"rooms" names %d rooms; name 1 to %d`, len(paths), maxRoomsAsked)
	}
	for _, p := range paths {
		path, err := b.checkRoom(p)
		if err != nil {
			return err
		}
		d.wish.rooms = append(d.wish.rooms, path)
	}
	slices.Sort(d.wish.rooms)
	d.wish.rooms = slices.Compact(d.wish.rooms)
	if raw, ok := f["filter"]; ok && string(raw) != "null" {
		return nil
	}
	for _, name := range []string{"throttle_ms", "ordered", "snapshot", "since"} {
		if _, ok := f[name]; ok {
			return fmt.Errorf(`%q is about replies, and a subscription to rooms has none without a "filter"; leave it out`, name)
		}
	}
	d.wish.filter = nil
	return nil
}

// checkRoom gives the path of a room that there is.
func (b *Bridge) checkRoom(path string) (string, error) {
	if len(b.cfg.Sources) == 0 {
		return "", errors.New("this bridge has no rooms; start it with --source")
	}
	path, err := roomPath(path)
	if err != nil {
		return "", err
	}
	if sourceOf(b.cfg.Sources, path) == nil {
		return "", fmt.Errorf("there is no room %s; there are those at and below %s", quote.Text(path), b.roomRoots())
	}
	return path, nil
}
