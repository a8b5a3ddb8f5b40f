package history

import (
	"cmp"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/rhythm"
)

// Limits bound the memory of a [Store].
type Limits struct {
	// Bytes bounds the values and a fixed cost of each keyword. 0 is 64 MiB.
	Bytes int
	// Actors is how many actors are known. 0 is 1000.
	Actors int
	// Origins keeps values of different origins apart; see [Origin].
	Origins bool
}

// How long values are kept, in milliseconds: each change, and everything.
const (
	rawMS  = 15 * 60_000
	keptMS = 24 * 3600_000
)

// Bounds of an actor's tree: the length of a name, the members of an object, the items of an array,
// and the levels below a keyword.
const (
	maxKey     = 256
	maxMembers = 10_000
	maxItems   = 16
	maxDepth   = 4
)

// Reply is a reply for a [Store]. Nothing of it is kept.
type Reply struct {
	Actor string // "" is none, and the reply is ignored
	Time  time.Time

	// Broadcast reports whether it answers nobody's command, so that it counts for the actor's rhythm.
	Broadcast bool

	// The following are used with [Limits.Origins].
	Code, RoutingKey, CommandID, Commander string
}

// Keywords are the top-level members of a reply's body: the names, and the values as JSON.
type Keywords = iter.Seq2[[]byte, []byte]

// Store holds what the keywords of all actors were. It may be used by many goroutines.
type Store struct {
	limits Limits

	// mu guards the following fields.
	mu       sync.Mutex
	arena    arena
	live     *population
	past     *population // nil unless it is being read, see [Store.Past]
	bytes    int         // of all actors
	now      int64       // the latest time of a reply
	sweep    int         // the actor to look at next for what is too old
	swept    int64       // when the last one was looked at
	gaps     []Span      // when the bridge may have missed replies
	gapCount uint64      // how many gaps there were

	noting  noting                        // the current reply
	each    func(name, value []byte) bool // records a keyword of it
	scratch []byte                        // for the key of its origin
	addName func(name, value []byte) bool // adds to scratch
	objects uint32                        // the number of the last one that was recorded, from 1 on

	evictedSeries, leftOut uint64
}

// population is some actors and what their keywords were.
type population struct {
	actors map[string]*actor
	order  []*actor // in no order
	lost   int64    // what actors had before it may have been evicted with the actor; 0 is nothing

	after map[*node]firstSaid // of a past: the keywords that were said after it
}

func newPopulation() *population { return &population{actors: map[string]*actor{}} }

// Span is a span of time in milliseconds since 1970.
type Span struct{ From, To int64 }

// actor holds the values of one actor.
type actor struct {
	store    *Store
	home     *population
	name     string
	at       int // in home.order
	root     node
	series   []*series
	bytes    int   // with its chunks
	first    int64 // when it was first heard, and last
	heard    int64
	silent   []Span // when nothing was heard of it
	rhythm   rhythm.Rhythm
	lost     int64  // what keywords had before it may have been evicted with the keyword; 0 is nothing
	gapCount uint64 // store.gapCount at the last broadcast
	others   *Origin
	origins  map[string]*Origin
}

// New returns an empty store.
func New(l Limits) *Store {
	l.Bytes = cmp.Or(max(0, l.Bytes), 64<<20)
	l.Actors = cmp.Or(max(0, l.Actors), 1000)
	s := &Store{limits: l, arena: newArena(), live: newPopulation()}
	s.each = func(name, value []byte) bool {
		n := &s.noting
		n.last = n.member(&n.a.root, n.last, name, value, maxDepth)
		if past := s.past; past != nil && n.a.home != past && n.last != nil {
			if _, known := past.after[n.last]; !known {
				past.after[n.last] = firstSaid{n.t, n.origin}
			}
		}
		return true
	}
	s.addName = func(name, _ []byte) bool {
		s.scratch = append(append(s.scratch, 0), name...)
		return true
	}
	return s
}

// charge adds to the memory of an actor.
func (a *actor) charge(bytes int) {
	a.bytes += bytes
	a.store.bytes += bytes
}

// Note records the values of a reply. Values should come in the order of their times; one that comes
// late is put where it belongs. It does not allocate for keywords that are known.
func (s *Store) Note(r *Reply, keywords Keywords) {
	if r.Actor == "" || len(r.Actor) > maxKey {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = max(s.now, r.Time.UnixMilli())
	s.note(s.live, r, keywords)
	s.expireOne()
}

func (s *Store) note(p *population, r *Reply, keywords Keywords) {
	t := r.Time.UnixMilli()
	a := s.touch(p, r.Actor, t)
	if r.Broadcast {
		a.noteRhythm(r.Time)
	}
	s.noting = noting{a: a, t: t, origin: a.originOf(r, keywords)}
	keywords(s.each)
	s.makeRoom()
}

// touch returns the actor with a name, and records when it was heard.
func (s *Store) touch(p *population, name string, t int64) *actor {
	a := p.actors[name]
	if a == nil {
		a = s.addActor(p, name, t)
	}
	if t-a.heard > a.silentAfter() {
		a.silent = appendSpan(a.silent, Span{a.heard, t})
	}
	a.heard = max(a.heard, t)
	return a
}

// silentAfter returns after how many milliseconds the actor counts as silent: by its rhythm, if it has one.
func (a *actor) silentAfter() int64 {
	if interval := a.rhythm.Interval(); interval > 0 {
		return rhythm.SilentAfter(interval).Milliseconds()
	}
	return silenceMS
}

// noteRhythm takes a broadcast into account for the actor's rhythm.
func (a *actor) noteRhythm(at time.Time) {
	if a.gapCount != a.store.gapCount { // replies may be missing before it
		a.gapCount = a.store.gapCount
		a.rhythm.Skip()
	}
	a.rhythm.Note(at)
}

// addActor adds an actor. At the limit it replaces the one that was heard least recently.
func (s *Store) addActor(p *population, name string, t int64) *actor {
	name = strings.ToValidUTF8(strings.Clone(name), "\ufffd") // as clients see it
	if a := p.actors[name]; a != nil {
		return a
	}
	if len(p.order) >= s.limits.Actors {
		oldest := p.order[0]
		for _, o := range p.order {
			if o.heard < oldest.heard {
				oldest = o
			}
		}
		s.evictedSeries += uint64(len(oldest.series))
		oldest.evict()
	}
	a := &actor{store: s, home: p, name: name, at: len(p.order), first: t, heard: t, lost: p.lost, origins: map[string]*Origin{}}
	a.others = &Origin{Actor: name, Others: true}
	p.actors[name] = a
	p.order = append(p.order, a)
	a.charge(actorCost + len(name))
	return a
}
