package reddit

import (
	"errors"
	"slices"
	"sync"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// maxNamespaces is how many namespaces may have clients.
const maxNamespaces = 100_000

var errTooManyNamespaces = errors.New("too many namespaces have clients; try again later")

// namespaces are those that have clients.
type namespaces struct {
	newLog func() *engine.Log

	// mu guards the following fields. It is not held while frames are appended, because the
	// engine's loops take it.
	mu     sync.Mutex
	byPath map[string]*namespace
	index  rooms.PathIndex[*namespace]
	count  int // clients
}

// namespace is a path with clients.
type namespace struct {
	path    string
	clients int // guarded by namespaces.mu

	mu  sync.Mutex // held while clients begin to follow, and while frames are appended
	log *engine.Log
}

func newNamespaces(newLog func() *engine.Log) *namespaces {
	return &namespaces{newLog: newLog, byPath: map[string]*namespace{}, index: rooms.PathIndex[*namespace]{}}
}

// full reports whether there is no place for a namespace.
func (s *namespaces) full(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byPath[path] == nil && len(s.byPath) >= maxNamespaces
}

// enter makes a client follow a namespace. It returns nil if there are too many.
func (s *namespaces) enter(path string, conn engine.Conn) *namespace {
	n := s.join(path)
	if n == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	conn.Follow(n.log)
	return n
}

// join counts a client of a namespace.
func (s *namespaces) join(path string) *namespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.byPath[path]
	if n == nil {
		if len(s.byPath) >= maxNamespaces {
			return nil
		}
		n = &namespace{path: path, log: s.newLog()}
		s.byPath[path] = n
		s.index.Add(n, path)
	}
	n.clients++
	s.count++
	return n
}

// leave removes a client from its namespace.
func (s *namespaces) leave(n *namespace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count--
	if n.clients--; n.clients > 0 {
		return
	}
	delete(s.byPath, n.path)
	s.index.Remove(n, n.path)
	n.log.Close()
}

// deliver appends a frame to the logs of the namespaces at and below a path.
func (s *namespaces) deliver(path string, frame engine.Frame) {
	s.mu.Lock()
	wanted := slices.Clone(s.index.At(path))
	s.mu.Unlock()
	for _, n := range wanted {
		n.append(frame)
	}
}

func (n *namespace) append(frame engine.Frame) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log.Append(frame)
}

// clients returns how many clients there are.
func (s *namespaces) clients() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}
