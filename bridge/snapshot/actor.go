package snapshot

import (
	"container/list"

	"github.com/clu-ws/clu-ws/bridge/rhythm"
)

// actor is an actor that has sent a reply.
type actor struct {
	name     string
	last     *keptReply          // its last reply
	public   map[string]*keyword // keywords of replies for people, by name
	internal map[string]*keyword // those of internal replies; nil if there are none
	order    list.List           // of *keyword: the one updated last is in front
	place    *list.Element       // in [Store.recent]
	rank     int                 // index in [Store.costs]
	heard    uint64              // order of its last reply
	bytes    int                 // its memory, keywords included
	all      sharedList
	sets     map[string]*nameSet // see [Store.KeepNames]; nil if there are none

	rhythm   rhythm.Rhythm
	beat     *keptReply // its last broadcast; nil if there was none
	pauses   uint64     // [Store.pauses] at its last broadcast
	consumer Presence

	evicted uint64 // how many of its keywords were evicted
	changed uint64 // order of the last reply that changed it
}

// keyword is the last value of a name, public or internal. A keyword that may be in a view is
// immutable: a change makes a copy.
type keyword struct {
	name     string
	value    []byte     // its own buffer; nil if the value is too large
	tooLarge int        // the length of a value that is too large, or 0
	from     *keptReply // the reply that set it
	place    *list.Element
	at       int    // in [actor.all]
	views    uint64 // how many views had been taken when it was made
}

// keptReply holds the properties of a reply while it is the last one of its actor, or has set the
// last value of a keyword.
type keptReply struct {
	Entry          // without a keyword
	order uint64   // among all replies
	refs  int      // the actor, if it is the last reply, and keywords
	views uint64   // how many views had been taken when it was made
	names *nameSet // of its keywords; nil if they are not known
}

func (f *keptReply) cost() int {
	return keptReplyCost + len(f.Code) + len(f.RoutingKey) + len(f.CommandID) + len(f.Commander)
}

// keepReply returns the kept properties of an actor's reply, with one reference.
func (s *Store) keepReply(a *actor, r *Reply) *keptReply {
	f := s.spare
	if f == nil {
		f = new(keptReply)
	}
	s.spare = nil
	*f = keptReply{order: s.replies, refs: 1, views: s.views, Entry: Entry{
		Actor:      a.name,
		Code:       s.shortHeader(r.Code),
		RoutingKey: s.shortHeader(r.RoutingKey),
		CommandID:  s.shortHeader(r.CommandID),
		Commander:  s.shortHeader(r.Commander),
		Internal:   r.Internal,
		Cut:        max(len(r.Code), len(r.RoutingKey), len(r.CommandID), len(r.Commander)) > s.limits.Value,
		Time:       r.Time,
		Seq:        r.Seq,
	}}
	s.charge(a, f.cost())
	return f
}

// shortHeader returns a header, or "" if it is too long to be kept: the values of a reply are kept
// even then.
func (s *Store) shortHeader(header string) string {
	if len(header) > s.limits.Value {
		return ""
	}
	return header
}

// release drops a reference to the kept properties of an actor's reply.
func (s *Store) release(a *actor, f *keptReply) {
	f.refs--
	if f.refs > 0 {
		return
	}
	s.charge(a, -f.cost())
	s.releaseNames(a, f)
	if f.views == s.views { // otherwise it may be in a view
		*f = keptReply{} // so that it retains no texts
		s.spare = f
	}
}

// current returns the keywords to which those of the actor's last reply belong.
func (a *actor) current() map[string]*keyword {
	if !a.last.Internal {
		return a.public
	}
	if a.internal == nil {
		a.internal = map[string]*keyword{}
	}
	return a.internal
}

// set sets a keyword to its value in the actor's last reply.
func (s *Store) set(a *actor, name, value []byte) {
	keywords := a.current()
	k := keywords[string(name)]
	switch {
	case k != nil:
		a.order.MoveToFront(k.place)
	case len(name) > s.limits.Value:
		a.evicted++
		s.evictedKeywords++
		return
	default:
		k = s.add(a, keywords, string(name))
	}
	k = s.mutable(a, keywords, k)
	if k.from != a.last {
		if k.from != nil {
			s.release(a, k.from)
		}
		k.from = a.last
		k.from.refs++
	}
	s.charge(a, -len(k.value))
	k.store(value, s.limits.Value)
	s.charge(a, len(k.value))
}

// add adds a keyword without a value. At the limit it replaces the oldest one.
func (s *Store) add(a *actor, keywords map[string]*keyword, name string) *keyword {
	if a.order.Len() >= s.limits.Keywords {
		s.evictKeyword(a)
	}
	k := &keyword{name: name, views: s.views}
	a.all.add(k)
	k.place = a.order.PushFront(k)
	keywords[name] = k
	s.keywords++
	s.charge(a, keywordCost+len(name))
	return k
}

// mutable returns a keyword that may be changed: the keyword itself, or a copy that replaces it.
func (s *Store) mutable(a *actor, keywords map[string]*keyword, k *keyword) *keyword {
	if k.views == s.views {
		return k
	}
	mine := *k
	mine.value = nil // its buffer belongs to the view
	s.charge(a, -len(k.value))
	mine.views = s.views
	a.all.replace(k, &mine)
	k.place.Value, keywords[k.name] = &mine, &mine
	return &mine
}

// slack is how much longer than its value a buffer may be, in addition to a quarter of the
// value. It is part of [keywordCost].
const slack = 32

// store copies a value into the keyword's buffer, which is replaced by one that
// fits if it is too short, or much too long.
func (k *keyword) store(value []byte, limit int) {
	if len(value) > limit {
		k.value, k.tooLarge = nil, len(value)
		return
	}
	k.tooLarge = 0
	if c := cap(k.value); c < len(value) || c > len(value)+len(value)/4+slack {
		k.value = make([]byte, 0, (len(value)+15)&^15) // the allocator gives no less
	}
	k.value = append(k.value[:0], value...)
}
