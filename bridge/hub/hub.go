package hub

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// maxGroups bounds the different sets of subscriptions that all clients have. Large sets
// count more than once.
const maxGroups = 10_000

// Hub numbers every reply, remembers it, and appends it to the logs of the clients that
// want it.
type Hub struct {
	Plain        Log           // every reply, as plain clients get it
	batch        time.Duration // how long a reply to plain clients may wait
	newLog       func() Log
	now          func() time.Time                               // time.Now, but in tests
	after        func(time.Duration, func()) (stop func() bool) // time.AfterFunc, but in tests
	Inflight     *Inflight
	Epoch        string // with seq, names a reply
	queue        *workQueue
	pendingBytes atomic.Int64 // bytes of messages that wait in the queue
	shownFigures figuresCopy

	delivered delivered

	// The following fields belong to Reply, which is called for one reply at a time.
	matcher  *matcher
	keywords snapshot.Keywords // of the reply that is being delivered

	// The following fields belong to the queue's goroutine.
	snapshots snapshotCache
	encoding  encoders
	scratch   scratch

	// mu guards the following fields. It is held while frames are appended, and while a
	// reply goes to many groups, so no loop of the engine may wait for it: requests go
	// through the queue.
	mu          sync.Mutex
	sharedEpoch bool   // the numbers are a stream's, and other bridges have the same epoch
	seq         uint64 // the last reply's
	numbered    bool   // there was a reply
	gapCount    uint64 // how many v1 clients were told
	loading     bool   // the past of a stream is being read, which is not delivered
	pastEnd     uint64 // the last reply of that past
	brokerState string // the broker's state as v1 clients know it
	waiting     waiterHeap
	lastWait    uint64 // how many requests ever waited
	windows     throttleWindows

	history replyHistory    // the last replies
	values  *snapshot.Store // the last value of every keyword

	subs      subIndex          // the distinct subscriptions of all clients
	groups    map[string]*group // by their clients' subscriptions
	shares    quota.Table       // of the places for groups
	v1Clients int               // clients in groups
	mark      uint64            // identifies the reply that is being delivered
	matched   []*group          // the groups that want it
}

// Config configures a hub.
type Config struct {
	Name    string // the bridge's, as in the commander ids of its commands
	Epoch   string // names the numbers
	Shared  bool   // the numbers are a stream's, and other bridges have the same epoch
	Batch   time.Duration
	History History
	Values  snapshot.Limits
	NewLog  func() Log

	Now   func() time.Time                               // nil is time.Now
	After func(time.Duration, func()) (stop func() bool) // nil is time.AfterFunc
}

func New(cfg Config) *Hub {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = afterFunc
	}
	h := &Hub{
		queue:       newWorkQueue(),
		Plain:       cfg.NewLog(),
		batch:       cfg.Batch,
		newLog:      cfg.NewLog,
		now:         cfg.Now,
		after:       cfg.After,
		Epoch:       cfg.Epoch,
		history:     replyHistory{History: cfg.History},
		values:      snapshot.New(cfg.Values),
		sharedEpoch: cfg.Shared,
		loading:     cfg.Shared,
		brokerState: "down",
		subs:        newSubIndex(),
		matcher:     newMatcher(),
		snapshots:   snapshotCache{},
		groups:      map[string]*group{},
		shares:      quota.NewTable(maxGroups),
	}
	h.Inflight = newInflight(cfg.Name, h.onEvict)
	h.delivered.known.Store(!h.loading)
	return h
}

// known returns the number of the last reply, or nil while the past of a stream is being
// read. mu is held.
func (h *Hub) known() *uint64 {
	if h.loading {
		return nil
	}
	seq := h.seq
	return &seq
}

// NewEpoch returns a random epoch, for a bridge that numbers its replies itself.
func NewEpoch() string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

// Reply delivers a reply to every client that wants it. seq is its number in the stream
// that it came by; if it has none, the hub numbers it. Reply and
// Live are called one at a time. Only these change h.seq and h.loading, so Reply may read
// them without the lock. Filters
// are evaluated before the lock is taken.
func (h *Hub) Reply(r *Reply, seq uint64, numbered bool) {
	if !numbered {
		seq = h.seq + 1
	}
	r.Seq = seq
	r.encode(h.Epoch)
	plain := engine.Must(engine.NewText(r.Plain))
	r.Plain = nil // the reply is kept, and this is in the frame
	var a match
	if !h.loading {
		a = h.Inflight.replied(r)
	}
	if a.owner != nil {
		r.owner = a.owner.ID
	}
	h.values.Read(r.body, &h.keywords)
	h.lockMatched(r, a.owner)
	defer h.mu.Unlock()
	if !h.numbered {
		h.numbered = true
		h.history.floor = max(h.history.floor, seq-min(seq, 1))
	}
	h.seq = seq
	if !r.Unroutable {
		h.record(r)
	}
	h.showFigures()
	if h.loading {
		return
	}
	if r.urgent() {
		h.Plain.Append(plain)
	} else {
		h.Plain.AppendWithin(plain, h.batch)
	}
	h.deliver(r)
	if a.waiter != nil { // the result comes right behind the reply
		if r.fails() {
			a.end.Message = reasonOf(r.body)
		}
		a.waiter.End(a.end)
	}
	h.requeueWaiting()
	h.delivered.seq.Store(seq)
}

// delivered is the number of the last reply that was delivered. It is read without the
// hub's lock.
type delivered struct {
	known atomic.Bool // the past of a stream was read
	seq   atomic.Uint64
}

// load returns nil while the past of a stream is being read.
func (d *delivered) load() *uint64 {
	if !d.known.Load() {
		return nil
	}
	seq := d.seq.Load()
	return &seq
}

// record keeps a reply for snapshots, and for clients that resume. mu is held.
func (h *Hub) record(r *Reply) {
	h.values.Note(snapshot.Reply{
		Sender: r.Sender, Code: r.Code, RoutingKey: r.RoutingKey, CommandID: r.CommandID, Commander: r.Commander,
		Internal: r.Internal, Time: r.At, Seq: r.Seq, Keywords: &h.keywords,
	})
	h.history.add(entry{seq: r.Seq, at: r.At, frame: r.Frame, reply: r})
}

// encode makes the frame of a reply for v1 clients: its envelope with seq and epoch behind
// the other keys.
func (r *Reply) encode(epoch string) {
	const room = len(`, "seq": , "epoch": ""}`) + 20
	end := len(r.Plain) - 1
	buf := make([]byte, 0, end+room+len(epoch))
	buf = append(buf, r.Plain[:end]...)
	buf = append(buf, `, "seq": `...)
	buf = strconv.AppendUint(buf, r.Seq, 10)
	buf = append(buf, `, "epoch": "`...)
	buf = append(buf, epoch...)
	buf = append(buf, `"}`...)
	r.Frame, r.body = engine.Must(engine.NewText(buf)), buf[r.BodyAt:end:end]
}

// Missed tells v1 clients, now and when they resume, of a span of time in which replies may
// have been lost. from is zero if its beginning is unknown.
func (h *Hub) Missed(from, to time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	frame := protocol.EncodeGap(from, to)
	h.gapCount++
	h.history.add(entry{seq: h.seq, at: h.now(), frame: frame, gap: h.gapCount})
	h.showFigures()
	h.notify(frame)
}

// Linked tells v1 clients of the broker's state, in one word and with the reason, if it has
// changed.
func (h *Hub) Linked(state, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if state != h.brokerState {
		h.brokerState = state
		h.notify(protocol.Encode(protocol.Broker{Op: "broker", State: state, Reason: reason}))
	}
}

// notify sends a notice to all v1 clients, whatever they subscribed to. mu is held.
func (h *Hub) notify(frame engine.Frame) {
	for _, g := range h.groups {
		g.log.Append(frame)
	}
}

// Live ends the reading of a stream's past: what comes from now on is delivered.
func (h *Hub) Live() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loading, h.pastEnd = false, h.seq
	h.delivered.seq.Store(h.seq)
	h.delivered.known.Store(true)
	h.requeueWaiting()
}
