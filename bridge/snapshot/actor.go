package snapshot

import "container/list"

// actor is who was heard.
type actor struct {
	name     string
	last     *keptReply          // its last reply
	public   map[string]*keyword // by name, those that came by replies for people
	internal map[string]*keyword // those that came by internal replies; nil if none ever did
	order    list.List           // of *keyword: what was updated last is in front
	place    *list.Element       // in [Store.recent]
	rank     int                 // the place in [Store.costs]
	heard    uint64              // the order of its last reply
	bytes    int                 // what it costs, with all that is below it
	all      sharedList

	evicted uint64 // how often one of its keywords was forgotten
	changed uint64 // the order of the last reply that changed it
}

// keyword is the last value of a name, of one of the two kinds. A keyword that may be
// in a view is immutable: a change makes a copy.
type keyword struct {
	name     string
	value    []byte     // its own buffer; nil if the value is too large
	tooLarge int        // the length of a value that is, or 0
	from     *keptReply // the reply by which it came
	place    *list.Element
	at       int    // in [actor.all]
	views    uint64 // how many had been taken when it was made
}

// keptReply is what is remembered of a reply while it is an actor's last one, or
// one of its values is the last of a keyword.
type keptReply struct {
	Entry        // without a keyword
	order uint64 // among all replies
	refs  int    // the actor, if it is the last reply, and keywords
	views uint64 // how many had been taken when it was made
}

func (f *keptReply) cost() int {
	return keptReplyCost + len(f.Code) + len(f.RoutingKey) + len(f.CommandID) + len(f.Commander)
}

// source remembers an actor's reply, with one reference.
func (s *Store) source(a *actor, r *Reply) *keptReply {
	f := s.spare
	if f == nil {
		f = new(keptReply)
	}
	s.spare = nil
	*f = keptReply{order: s.replies, refs: 1, views: s.views, Entry: Entry{
		Actor:      a.name,
		Code:       s.short(r.Code),
		RoutingKey: s.short(r.RoutingKey),
		CommandID:  s.short(r.CommandID),
		Commander:  s.short(r.Commander),
		Internal:   r.Internal,
		Time:       r.Time,
		Seq:        r.Seq,
	}}
	s.charge(a, f.cost())
	return f
}

// short is a header that may be kept. One that is too long is lost, so that the
// reply's values are not.
func (s *Store) short(header string) string {
	if len(header) > s.limits.Value {
		return ""
	}
	return header
}

// release takes a reference from what is remembered of an actor's reply.
func (s *Store) release(a *actor, f *keptReply) {
	f.refs--
	if f.refs > 0 {
		return
	}
	s.charge(a, -f.cost())
	if f.views == s.views { // else it may be in a view
		*f = keptReply{} // a spare one must not retain texts
		s.spare = f
	}
}

// kind is where keywords of the actor's last reply belong.
func (a *actor) kind() map[string]*keyword {
	if !a.last.Internal {
		return a.public
	}
	if a.internal == nil {
		a.internal = map[string]*keyword{}
	}
	return a.internal
}

// set gives a keyword the value that came by the actor's last reply.
func (s *Store) set(a *actor, name, value []byte) {
	kind := a.kind()
	k := kind[string(name)]
	switch {
	case k != nil:
		a.order.MoveToFront(k.place)
	case len(name) > s.limits.Value:
		a.evicted++
		s.evictedKeywords++
		return
	default:
		k = s.add(a, kind, string(name))
	}
	k = s.own(a, kind, k)
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

// add makes a keyword without a value, in the place of the oldest one if need be.
func (s *Store) add(a *actor, kind map[string]*keyword, name string) *keyword {
	if a.order.Len() >= s.limits.Keywords {
		s.forgetKeyword(a)
	}
	k := &keyword{name: name, views: s.views}
	a.all.add(k)
	k.place = a.order.PushFront(k)
	kind[name] = k
	s.keywords++
	s.charge(a, keywordCost+len(name))
	return k
}

// own returns a keyword that may be changed: the keyword itself, or a copy that
// replaces it.
func (s *Store) own(a *actor, kind map[string]*keyword, k *keyword) *keyword {
	if k.views == s.views {
		return k
	}
	mine := *k
	mine.value = nil // its buffer belongs to the view
	s.charge(a, -len(k.value))
	mine.views = s.views
	a.all.replace(k, &mine)
	k.place.Value, kind[k.name] = &mine, &mine
	return &mine
}

// slack is how much longer than its value a buffer may be, besides a quarter of
// the value. It is part of [keywordCost].
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
