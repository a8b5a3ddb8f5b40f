package rooms

import (
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/quota"
)

// maxRooms is how many rooms may have clients that connected to them.
const maxRooms = 10_000

// Rooms holds the rooms that clients connected to. A client follows its room's log as soon
// as its request is answered, so the log is looked up on the engine's loops, which must not
// wait for the hub.
type Rooms struct {
	newLog func() *engine.Log

	// mu guards the following fields, and the clients of the rooms. It is not held
	// while frames are appended, because the loops take it.
	mu     sync.Mutex
	byPath map[string]*Room
	index  PathIndex[*Room]
	count  int // clients
	shares quota.Table
}

// Room is a room with clients.
type Room struct {
	// Log is the log that the clients follow.
	Log *engine.Log

	path    string
	clients int
	address string // the address whose quota it uses
}

// New returns an empty set of rooms. newLog makes their logs.
func New(newLog func() *engine.Log) *Rooms {
	return &Rooms{newLog: newLog, byPath: map[string]*Room{}, index: PathIndex[*Room]{}, shares: quota.NewTable(maxRooms)}
}

// Enter adds a client to the room of a path. It fails if the room is new and the client's address has
// too many.
func (rs *Rooms) Enter(path, address string) (*Room, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.byPath[path]
	if r == nil {
		if !rs.shares.Take(address, 1, 0) {
			return nil, rs.shares.Full(address, "rooms with clients", "go to one that has some, or try again later")
		}
		r = &Room{path: path, Log: rs.newLog(), address: address}
		rs.byPath[path] = r
		rs.index.Add(r, path)
	}
	r.clients++
	rs.count++
	return r, nil
}

// Leave removes a client from its room.
func (rs *Rooms) Leave(r *Room) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.count--
	if r.clients--; r.clients > 0 {
		return
	}
	delete(rs.byPath, r.path)
	rs.shares.Give(r.address, 1)
	rs.index.Remove(r, r.path)
	r.Log.Close()
}

// Deliver appends a frame to the logs of the rooms at and below a path.
func (rs *Rooms) Deliver(path string, frame engine.Frame) {
	rs.mu.Lock()
	wanted := slices.Clone(rs.index.At(path))
	rs.mu.Unlock()
	for _, r := range wanted {
		r.Log.Append(frame)
	}
}

// Len returns the number of rooms and of their clients.
func (rs *Rooms) Len() (rooms, clients int) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return len(rs.byPath), rs.count
}

// Frame returns the frame of a message for rooms, unchanged: a text frame if it is UTF-8, else a
// binary one.
func Frame(body []byte) engine.Frame {
	if utf8.Valid(body) {
		return engine.Text(string(body))
	}
	return engine.Binary(body)
}
