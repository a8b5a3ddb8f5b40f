package snapshot

import (
	"container/heap"
	"container/list"
	"time"
	"unicode/utf8"
)

// Reply is a reply for a [Store]. Its strings are kept, so they must not be parts of larger
// ones; its body is not kept.
type Reply struct {
	Sender     string // the actor; "" is none
	Code       string // the message code: ">", "i", ":" and so on
	RoutingKey string
	CommandID  string
	Commander  string
	Internal   bool      // not meant for people
	Broadcast  bool      // it answers nobody's command, so that it counts for the actor's rhythm
	Time       time.Time // when it was heard
	Seq        uint64
	Body       []byte // valid JSON in UTF-8
	// Keywords are the body's, by [Store.Read]. With nil, Note reads it itself.
	Keywords *Keywords
}

// Entry is a keyword of an actor, and the reply that set its last value.
type Entry struct {
	Actor, Keyword                         string
	Code, RoutingKey, CommandID, Commander string
	Internal                               bool
	Time                                   time.Time
	Seq                                    uint64
	// Keywords are the names of all keywords of the reply, if they are known: see
	// [Store.KeepNames]. Known tells a reply without keywords from one whose are not known.
	Keywords []string
	Known    bool
	// Cut reports whether one of the headers is "" here because it was too long to be kept.
	Cut bool
	// TooLarge is the length of a value that is too large to be kept, in bytes; else 0.
	TooLarge int
}

// Store holds the last value of every keyword of every actor. It is not safe for concurrent use: its
// owner has a lock.
type Store struct {
	limits       Limits
	actors       map[string]*actor
	recent       list.List // of *actor: the one with the latest reply is in front
	costs        costliest
	bytes        int        // memory of all actors
	keywords     int        // of all actors
	replies      uint64     // how many were noted: the order of sources
	spare        *keptReply // one that can be reused, or nil
	pauses       uint64     // how often replies may have been lost
	views        uint64     // how many were taken; anything older than the last one may be in it
	read         Keywords
	names        bool   // see [Store.KeepNames]
	scratch      []byte // for the key of a set of names
	lastEviction uint64 // the last reply at which something was evicted

	evictedActors, evictedKeywords uint64
}

// New returns an empty store.
func New(l Limits) *Store {
	l.setDefaults()
	return &Store{limits: l, actors: map[string]*actor{}}
}

// Note merges a reply. Replies must come in their order: the last one wins. The limits hold when Note
// returns. It reports whether the actor's rhythm has changed noticeably.
func (s *Store) Note(r Reply) (rhythm bool) {
	if r.Sender == "" {
		return false
	}
	if len(r.Sender) > s.limits.Value {
		s.evictedActors++
		return false
	}
	s.replies++
	a := s.touch(r.Sender)
	if a.last != nil {
		s.release(a, a.last)
	}
	a.last = s.keepReply(a, &r)
	if r.Keywords == nil {
		s.Read(r.Body, &s.read)
		r.Keywords = &s.read
	}
	if s.names {
		s.keepNames(a, a.last, r.Keywords)
	}
	rhythm = r.Broadcast && s.noteRhythm(a)
	for _, k := range r.Keywords.list {
		s.set(a, k.name, k.value)
	}
	a.evicted += uint64(r.Keywords.evicted)
	s.evictedKeywords += uint64(r.Keywords.evicted)
	heap.Fix(&s.costs, a.rank)
	s.makeRoom()
	return rhythm
}

// touch returns the actor with the given name, and makes the current reply its last one.
func (s *Store) touch(name string) *actor {
	// Bytes that are not UTF-8 become U+FFFD already here, as in the envelope: two actors must
	// not be written under the same name.
	if !utf8.ValidString(name) {
		name = string([]rune(name))
	}
	if a := s.actors[name]; a != nil {
		a.heard, a.changed = s.replies, s.replies
		s.recent.MoveToFront(a.place)
		return a
	}
	if len(s.actors) >= s.limits.Actors {
		s.evictActor(s.recent.Back().Value.(*actor))
	}
	a := &actor{name: name, heard: s.replies, changed: s.replies, public: map[string]*keyword{}}
	a.place = s.recent.PushFront(a)
	s.actors[name] = a
	s.charge(a, actorCost+len(name))
	heap.Push(&s.costs, a)
	return a
}

// charge adds to the memory of an actor.
func (s *Store) charge(a *actor, bytes int) {
	a.bytes += bytes
	s.bytes += bytes
}

// Len returns how many actors and keywords are known.
func (s *Store) Len() (actors, keywords int) { return len(s.actors), s.keywords }

// Bytes returns the memory of the actors and keywords, as counted for [Limits].
func (s *Store) Bytes() int { return s.bytes }

// Evicted returns how many actors and keywords were evicted so far. The keywords of an evicted actor
// count, too. Each reply from a sender whose name is too long to be kept counts as an actor, and each
// keyword with such a name as a keyword.
func (s *Store) Evicted() (actors, keywords uint64) { return s.evictedActors, s.evictedKeywords }
