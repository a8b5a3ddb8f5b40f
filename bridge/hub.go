package bridge

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// maxGroups is how many different sets of subscriptions the clients of a bridge may
// have; large ones count more than once.
const maxGroups = 10_000

// hub is where every reply passes: it gives them their numbers, remembers them,
// and puts them into the logs that the clients follow.
type hub struct {
	plain    *engine.Log   // every reply, as a plain client gets it
	batch    time.Duration // how long a reply to plain clients may wait
	newLog   func() *engine.Log
	now      func() time.Time                               // time.Now; another clock in tests
	after    func(time.Duration, func()) (stop func() bool) // time.AfterFunc, the same
	inflight *inflight
	epoch    string            // with seq, names a reply
	queue    func(*lane, task) // at the desk; it never blocks
	figures  shownFigures

	delivered delivered

	// The index belongs to whoever brings the replies, one at a time.
	index    *subIndex
	keywords snapshot.Keywords // of the reply that is being delivered; its own, too

	// The following fields belong to the desk's goroutine.
	album   album
	easel   easel
	scratch scratch

	// mu guards the following fields. It is held while frames are appended, and while
	// a reply goes to many groups: no loop may ever wait for it. What clients ask for
	// goes over the desk.
	mu      sync.Mutex
	shared  bool   // other bridges have the same epoch: the numbers are a stream's
	seq     uint64 // the last reply's
	begun   bool   // there was a reply
	gaps    uint64 // how many were told
	loading bool   // the past of a stream is being read: nothing of it is news
	read    uint64 // the last reply of that past
	link    string // the broker's state as v1 clients know it
	waiting waiters
	waits   uint64 // how many ever waited
	windows windows

	past   history         // the last replies
	values *snapshot.Store // the last value of every keyword

	shelf  shelf             // what the clients wish
	groups map[string]*group // who wishes the same
	shares shares            // of the groups
	v1s    int               // clients in groups
	turn   uint64            // counts the replies that were delivered
	hits   []*group          // who wants the one that is being delivered
}

func newHub(e *engine.Engine, cfg Config, f *inflight) *hub {
	h := &hub{
		inflight: f,
		plain:    e.NewLog(),
		batch:    cfg.Batch,
		newLog:   e.NewLog,
		now:      time.Now,
		after:    afterFunc,
		epoch:    cfg.epoch(),
		past:     history{History: cfg.History},
		values:   snapshot.New(cfg.Values),
		shared:   cfg.Durable.Stream != nil,
		loading:  cfg.Durable.Stream != nil,
		link:     "down",
		shelf:    newShelf(),
		index:    newSubIndex(),
		album:    album{},
		groups:   map[string]*group{},
		shares:   newShares(maxGroups),
	}
	h.delivered.known.Store(!h.loading)
	return h
}

// known is the number of the last reply, or nil while the past of a stream is being
// read. mu is held.
func (h *hub) known() *uint64 {
	if h.loading {
		return nil
	}
	seq := h.seq
	return &seq
}

// newEpoch names the numbers of a bridge that counts its replies itself.
func newEpoch() string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

// reply brings one reply to every client that wants it. seq is its number in the stream
// that it came by; without one the hub counts. Replies, and the end of the past,
// come one at a time: nothing else changes h.seq and h.loading, so it may read
// them without the lock. Filters are evaluated before the lock is taken.
func (h *hub) reply(r *reply, seq uint64, numbered bool) {
	if !numbered {
		seq = h.seq + 1
	}
	r.seq = seq
	r.number(h.epoch)
	plain := engine.Must(engine.Seal(r.plain))
	r.plain = nil // the history keeps the reply
	var a answer
	if !h.loading {
		a = h.inflight.replied(r)
	}
	if a.owner != nil {
		r.owner = a.owner.id
	}
	h.values.Read(r.body, &h.keywords)
	h.lockMatched(r, a.owner)
	defer h.mu.Unlock()
	if !h.begun {
		h.begun = true
		h.past.floor = max(h.past.floor, seq-min(seq, 1))
	}
	h.seq = seq
	if !r.unroutable {
		h.remember(r)
	}
	h.showFigures()
	if h.loading {
		return
	}
	if r.urgent() {
		h.plain.Append(plain)
	} else {
		h.plain.AppendWithin(plain, h.batch)
	}
	h.deliver(r)
	if a.waiter != nil { // the end comes right behind the reply
		if r.fails() {
			a.ending.message = reasonOf(r.body)
		}
		a.waiter.end(a.ending)
	}
	h.serveWaiting()
	h.delivered.seq.Store(seq)
}

// delivered is the last reply that everybody has been given who wants it, for those who
// do not wait for the hub's lock.
type delivered struct {
	known atomic.Bool // the past of a stream was read
	seq   atomic.Uint64
}

// load is the reply's number, or nil while nobody knows.
func (d *delivered) load() *uint64 {
	if !d.known.Load() {
		return nil
	}
	seq := d.seq.Load()
	return &seq
}

// remember keeps a reply for snapshots, and for clients that resume. mu is held.
func (h *hub) remember(r *reply) {
	h.values.Note(snapshot.Reply{
		Sender: r.Sender, Code: r.Code, RoutingKey: r.RoutingKey, CommandID: r.CommandID, Commander: r.Commander,
		Internal: r.Internal, Time: r.at, Seq: r.seq, Keywords: &h.keywords,
	})
	h.past.add(entry{seq: r.seq, at: r.at, frame: r.frame, reply: r})
}

// number makes the frame of a reply for v1 clients: its envelope with two more
// keys behind the others, seq and epoch.
func (r *reply) number(epoch string) {
	const room = len(`, "seq": , "epoch": ""}`) + 20
	end := len(r.plain) - 1
	buf := make([]byte, 0, end+room+len(epoch))
	buf = append(buf, r.plain[:end]...)
	buf = append(buf, `, "seq": `...)
	buf = strconv.AppendUint(buf, r.seq, 10)
	buf = append(buf, `, "epoch": "`...)
	buf = append(buf, epoch...)
	buf = append(buf, `"}`...)
	r.frame, r.body = engine.Must(engine.Seal(buf)), buf[r.bodyAt:end:end]
}

// missed tells v1 clients, now and when they resume, of a span of time in which
// replies may have been lost.
func (h *hub) missed(gap amqpx.Gap) {
	h.mu.Lock()
	defer h.mu.Unlock()
	frame := gapFrame(gap)
	h.gaps++
	h.past.add(entry{seq: h.seq, at: time.Now(), frame: frame, gap: h.gaps})
	h.showFigures()
	h.tell(frame)
}

// linked tells v1 clients of the broker's state, if it is news to them.
func (h *hub) linked(state amqpx.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if word := brokerWord(state); word != h.link {
		h.link = word
		h.tell(brokerFrame(state))
	}
}

// tell gives a notice to all v1 clients, whatever they wish, and at once. mu is held.
func (h *hub) tell(frame engine.Frame) {
	for _, g := range h.groups {
		g.log.Append(frame)
	}
}

// live is called when the past of a stream was read.
func (h *hub) live() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loading, h.read = false, h.seq
	h.delivered.seq.Store(h.seq)
	h.delivered.known.Store(true)
	h.serveWaiting()
}
