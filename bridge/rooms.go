package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/object"
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
	shares shares
}

// room has at least one client.
type room struct {
	path    string
	log     *engine.Log
	clients int
	address string // the address whose share it takes
}

func newRooms(newLog func() *engine.Log) *rooms {
	return &rooms{newLog: newLog, byPath: map[string]*room{}, index: pathIndex[*room]{}, shares: newShares(maxRooms)}
}

// enter adds a client to the room of a path. It is an error if the client's address may
// have no further room.
func (rs *rooms) enter(path, address string) (*room, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.byPath[path]
	if r == nil {
		if !rs.shares.take(address, 1, 0) {
			return nil, rs.shares.errFull(address, "rooms with clients", "go to one that has some, or try again later")
		}
		r = &room{path: path, log: rs.newLog(), address: address}
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
	rs.shares.give(r.address, 1)
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
	h.hits = h.hits[:0]
	for _, s := range h.shelf.byRoom[path] {
		for _, m := range s.members {
			h.hit(m, true)
		}
	}
	for _, g := range h.hits {
		g.log.AppendWithin(frame, g.wait)
	}
}

// readRooms reads the rooms of a subscription, which then hears replies only if it
// has a filter, too.
func (b *Bridge) readRooms(f fields, d *demand) error {
	raw, ok := f["rooms"]
	if !ok || string(raw) == "null" {
		return nil
	}
	paths, err := readPaths(raw)
	if err != nil {
		return err
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

// readPaths reads a list of rooms, and stops at the bound.
func readPaths(raw json.RawMessage) (paths []string, err error) {
	if raw[0] != '[' {
		return nil, fmt.Errorf(`"rooms" is %s, but must be a list of paths`, kind(raw))
	}
	n := 0
	for element := range object.Elements(raw) {
		if n++; n > maxRoomsAsked {
			continue
		}
		var path string
		if element[0] != '"' || json.Unmarshal(element, &path) != nil {
			return nil, fmt.Errorf(`"rooms" has %s in it, but must be a list of paths`, kind(element))
		}
		paths = append(paths, path)
	}
	if n == 0 || n > maxRoomsAsked {
		return nil, fmt.Errorf(`"rooms" names %d rooms; name 1 to %d`, n, maxRoomsAsked)
	}
	return paths, nil
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
