package jararaca

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/internal/unordered"
)

// maxMemberships is in how many rooms all groups may be, taken together.
const maxMemberships = 1_000_000

var errFull = errors.New("too many different rooms have clients; try again later")

// groups are the clients, by the rooms that they are in.
type groups struct {
	newLog func() *engine.Log
	limit  int // of memberships

	// mu guards the following fields. It is not held while frames are appended, because the
	// engine's loops take it.
	mu          sync.Mutex
	byRooms     map[string]*group
	list        unordered.Set[*group]            // of them, which is copied faster than a map
	byPath      map[string]unordered.Set[*group] // by the path of a room
	memberships int
}

// group is the clients of the same rooms.
type group struct {
	key     string
	paths   []string // of the rooms
	clients int      // guarded by groups.mu
	had     uint64   // the publication that it had last, guarded by service.mu

	mu  sync.Mutex // held while clients begin to follow, and while frames are appended
	log *engine.Log
}

func newGroups(newLog func() *engine.Log) *groups {
	return &groups{newLog: newLog, limit: maxMemberships, byRooms: map[string]*group{}, byPath: map[string]unordered.Set[*group]{}}
}

// cost returns how many places a group of some rooms takes.
func cost(paths []string) int { return 1 + len(paths) }

// full reports whether there is no place for clients of some rooms.
func (s *groups) full(paths []string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byRooms[keyOf(paths)] == nil && s.memberships+cost(paths) > s.limit
}

// keyOf returns the key of a group. No path has a line break.
func keyOf(paths []string) string { return strings.Join(paths, "\n") }

// enter makes a client follow what is for its rooms. It returns nil if there are too many.
func (s *groups) enter(paths []string, conn engine.Conn) *group {
	g := s.join(paths)
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	conn.Follow(g.log)
	return g
}

// join counts a client of a group.
func (s *groups) join(paths []string) *group {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := keyOf(paths)
	g := s.byRooms[key]
	if g == nil {
		if s.memberships+cost(paths) > s.limit {
			return nil
		}
		g = &group{key: key, paths: paths, log: s.newLog()}
		s.byRooms[key] = g
		s.list.Add(g)
		s.memberships += cost(paths)
		for _, path := range paths {
			of := s.byPath[path]
			of.Add(g)
			s.byPath[path] = of
		}
	}
	g.clients++
	return g
}

// leave removes a client from its group.
func (s *groups) leave(g *group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.clients--; g.clients > 0 {
		return
	}
	delete(s.byRooms, g.key)
	s.list.Remove(g)
	s.memberships -= cost(g.paths)
	for _, path := range g.paths {
		of := s.byPath[path]
		if of.Remove(g); len(of.List()) > 0 {
			s.byPath[path] = of
		} else {
			delete(s.byPath, path)
		}
	}
	g.log.Close()
}

// of returns the groups that have a room.
func (s *groups) of(path string) []*group {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.byPath[path]
	return slices.Clone(of.List())
}

// all returns all groups.
func (s *groups) all() []*group {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list.List())
}

func (g *group) append(frame engine.Frame) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.log.Append(frame)
}
