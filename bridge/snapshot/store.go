package snapshot

import (
	"container/heap"
	"container/list"
	"time"
	"unicode/utf8"
)

// Reply is what a [Store] is told of a reply. Its texts are kept, so they must
// not be parts of larger ones; its body is not.
type Reply struct {
	Sender     string // the actor; "" is nobody
	Code       string // the message code: ">", "i", ":" and so on
	RoutingKey string
	CommandID  string
	Commander  string
	Internal   bool      // not meant for people
	Time       time.Time // when it came here
	Seq        uint64
	Body       []byte // valid JSON in UTF-8
	// Keywords are the body's, by [Store.Read]. With nil, Note reads it itself.
	Keywords *Keywords
}

// Entry is a keyword of an actor, and the reply by which its last value came.
type Entry struct {
	Actor, Keyword                         string
	Code, RoutingKey, CommandID, Commander string
	Internal                               bool
	Time                                   time.Time
	Seq                                    uint64
}

// Store holds the last value of every keyword of every actor. It is not made for
// concurrent use: its owner has a lock.
type Store struct {
	limits   Limits
	actors   map[string]*actor
	recent   list.List // of *actor: who was heard last is in front
	costs    costliest
	bytes    int        // what all actors cost
	keywords int        // of all actors
	replies  uint64     // how many were noted: the order of sources
	spare    *keptReply // one that is not used any more, or nil
	views    uint64     // how many were taken; anything older than the last may be in it
	read     Keywords
	shrunk   uint64 // the last reply at which something was forgotten

	evictedActors, evictedKeywords uint64
}

// New makes an empty store.
func New(l Limits) *Store {
	l.setDefaults()
	return &Store{limits: l, actors: map[string]*actor{}}
}

// Note merges a reply. Replies come in their order: the last one wins. The
// limits hold when it returns.
func (s *Store) Note(r Reply) {
	if r.Sender == "" {
		return
	}
	if len(r.Sender) > s.limits.Value {
		s.evictedActors++
		return
	}
	s.replies++
	a := s.touch(r.Sender)
	if a.last != nil {
		s.release(a, a.last)
	}
	a.last = s.source(a, &r)
	if r.Keywords == nil {
		s.Read(r.Body, &s.read)
		r.Keywords = &s.read
	}
	for _, k := range r.Keywords.list {
		s.set(a, k.name, k.value)
	}
	a.evicted += uint64(r.Keywords.forgotten)
	s.evictedKeywords += uint64(r.Keywords.forgotten)
	heap.Fix(&s.costs, a.rank)
	s.makeRoom()
}

// touch gives the actor of that name, who is heard now.
func (s *Store) touch(name string) *actor {
	// Two names must not become one when they are written: a byte that is not
	// UTF-8 is U+FFFD from the start, as in the envelope.
	if !utf8.ValidString(name) {
		name = string([]rune(name))
	}
	if a := s.actors[name]; a != nil {
		a.heard, a.changed = s.replies, s.replies
		s.recent.MoveToFront(a.place)
		return a
	}
	if len(s.actors) >= s.limits.Actors {
		s.forgetActor(s.recent.Back().Value.(*actor))
	}
	a := &actor{name: name, heard: s.replies, changed: s.replies, public: map[string]*keyword{}}
	a.place = s.recent.PushFront(a)
	s.actors[name] = a
	s.charge(a, actorCost+len(name))
	heap.Push(&s.costs, a)
	return a
}

// charge adds to what an actor costs, in bytes.
func (s *Store) charge(a *actor, bytes int) {
	a.bytes += bytes
	s.bytes += bytes
}

// Len is how many actors and keywords are known.
func (s *Store) Len() (actors, keywords int) { return len(s.actors), s.keywords }

// Bytes is what they cost, in the sense of [Limits].
func (s *Store) Bytes() int { return s.bytes }

// Evicted counts the actors and keywords that were forgotten for want of room,
// ever. A keyword counts with its actor, too. Each reply from a sender with a name
// that is too long to be kept counts as an actor, each keyword of such a name
// as a keyword.
func (s *Store) Evicted() (actors, keywords uint64) { return s.evictedActors, s.evictedKeywords }
