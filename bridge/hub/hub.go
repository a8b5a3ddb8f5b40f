package hub

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
	"github.com/clu-ws/clu-ws/internal/workers"
)

// maxGroups bounds the different sets of subscriptions of all clients. Large sets count
// more than once.
const maxGroups = 10_000

// Hub numbers every reply, remembers it, and appends it to the logs of the groups that want
// it.
type Hub struct {
	Plain    Log       // every reply, as plain clients get it
	Epoch    string    // with seq, identifies a reply
	Inflight *Inflight // the commands in flight

	commands      *commandRegistry // the commands of everybody; it has a lock of its own
	commandGroups atomic.Int32     // how many groups have notices of commands

	batch  time.Duration // how long a reply to plain clients may wait for others
	newLog func() Log
	now    func() time.Time
	after  func(time.Duration, func()) (stop func() bool)
	queue  *workQueue

	readOlder    OlderReader // nil without a stream
	olderReaders workers.Pool

	pendingBytes atomic.Int64 // bytes of messages that wait in the queue
	figures      figuresCopy
	heard        heardClock // it has a lock of its own
	delivered    delivered

	// The following fields are used by Reply alone, which handles one reply at a time.
	matcher  *matcher
	keywords snapshot.Keywords // of the current reply; the memory is reused
	observer observer

	// The following fields are used by the queue's request goroutine alone.
	snapshots snapshotCache
	encoding  encoders
	building  builders

	// mu guards the following fields. It is held while frames are appended, and while a
	// reply goes to many groups, so no loop of the engine may wait for it: requests go
	// through the queue.
	mu          sync.Mutex
	sharedEpoch bool   // the numbers are a stream's, and other bridges use the same epoch
	seq         uint64 // number of the last reply
	numbered    bool   // there was a reply
	gapCount    uint64 // gaps reported to v1 clients
	pastGaps    uint64 // those in the past of a stream, which are told when a client resumes only
	gapAfter    uint64 // the number of the reply before the last gap
	loading     bool   // the past of a stream is being read; it is not delivered
	pastEnd     uint64 // number of the last reply of the past
	brokerState string // as v1 clients know it
	waiting     waiterHeap
	lastWait    uint64 // order of the last request that began to wait
	windows     throttleWindows

	history replyHistory    // the last replies
	values  *snapshot.Store // the last value of every keyword

	subs       subIndex          // the distinct subscriptions of all clients
	groups     map[string]*group // by their clients' subscriptions
	shares     quota.Table       // the quotas of groups, by address
	v1Clients  int               // clients in groups
	fanout     fanout
	deliveries uint64              // how many replies were delivered
	selves     ownSessions         // of clients that hear replies to their own commands beside their views
	noticed    map[*group]struct{} // those that have a subscription to notices
	plain      plainGroups         // of plain clients with views; it has a lock of its own
	olderPages map[*Session]int    // for how many pages of theirs the stream is to be read
}

// Config configures a hub.
type Config struct {
	// Name is the bridge's name, as in the commander ids of its commands.
	Name string
	// Epoch identifies the series of numbers that the hub gives to replies.
	Epoch string
	// Shared reports whether the numbers are those of a stream, so that other bridges use the
	// same epoch.
	Shared bool
	// Batch is how long a reply to plain clients may wait for others.
	Batch   time.Duration
	History History
	Values  snapshot.Limits
	// Views reports whether clients may have views. Then the hub remembers which keywords each
	// reply had whose values it keeps, which a view may test.
	Views bool
	// NewLog returns a new log for plain clients or for a group.
	NewLog func() Log

	// Observe, if set, is called for every reply, also those of a stream's past, one at a time and
	// in order, once the reply was delivered. It must not wait for clients.
	Observe func(*Observed)

	// Older, if set, reads the replies of the stream that are not kept in memory, for pages of the log.
	Older OlderReader

	// Now and After are the hub's clock. nil is [time.Now] and [time.AfterFunc].
	Now   func() time.Time
	After func(time.Duration, func()) (stop func() bool)
}

// New returns a hub. It starts no goroutine before the first request.
func New(cfg Config) *Hub {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = afterFunc
	}
	h := &Hub{
		queue:        newWorkQueue(),
		olderReaders: workers.Pool{Max: maxOlderReaders, MaxWaiting: maxOlderWaiting},
		Plain:        cfg.NewLog(),
		batch:        cfg.Batch,
		newLog:       cfg.NewLog,
		now:          cfg.Now,
		after:        cfg.After,
		Epoch:        cfg.Epoch,
		history:      replyHistory{History: cfg.History},
		values:       snapshot.New(cfg.Values),
		sharedEpoch:  cfg.Shared,
		loading:      cfg.Shared,
		brokerState:  "down",
		subs:         newSubIndex(),
		matcher:      newMatcher(),
		snapshots:    snapshotCache{},
		building:     builders{},
		groups:       map[string]*group{},
		shares:       quota.NewTable(maxGroups),
		selves:       ownSessions{},
		noticed:      map[*group]struct{}{},
		observer:     newObserver(cfg.Observe),
		olderPages:   map[*Session]int{},
		readOlder:    cfg.Older,
		plain:        newPlainGroups(cfg.NewLog),
	}
	h.commands = newCommandRegistry(cfg.Name, cfg.Views)
	h.Inflight = newInflight(cfg.Name, cfg.Now, h.onEvict)
	h.delivered.known.Store(!h.loading)
	if cfg.Views {
		h.values.KeepNames()
	}
	return h
}

// afterFunc is [time.AfterFunc] with the result of [Config.After].
func afterFunc(d time.Duration, f func()) (stop func() bool) { return time.AfterFunc(d, f).Stop }

// NewEpoch returns a random epoch, for a bridge that numbers its replies itself.
func NewEpoch() string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
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

// Missed reports a span of time in which replies may have been lost to v1 clients, now and
// when they resume. from is zero if the beginning is unknown.
func (h *Hub) Missed(from, to time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.values.Interrupt()
	frame := protocol.EncodeGap(from, to)
	h.gapCount++
	h.gapAfter = h.seq
	h.history.add(entry{seq: h.seq, at: h.now(), frame: frame, gap: h.gapCount})
	h.updateFigures()
	if !h.loading { // otherwise clients have none of the past yet, and those that resume are told at the gap's place
		h.notify(frame)
	}
	h.missedCommands()
}

// GapAfter returns the number of the reply before the last gap: values from before it may be outdated.
func (h *Hub) GapAfter() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.gapAfter
}

// Linked reports the broker's state to v1 clients if it has changed, and its reason to those that
// may hear that.
func (h *Hub) Linked(state, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if state != h.brokerState {
		h.brokerState = state
		full := protocol.Encode(protocol.Broker{Op: "broker", State: state, Reason: reason})
		terse := protocol.Encode(protocol.Broker{Op: "broker", State: state})
		for _, g := range h.groups {
			if g.terse {
				g.log.Append(terse)
			} else {
				g.log.Append(full)
			}
		}
	}
}

// notify sends a message to all v1 clients, whatever their subscriptions. mu is held.
func (h *Hub) notify(frame engine.Frame) {
	for _, g := range h.groups {
		g.log.Append(frame)
	}
}

// Live ends the reading of a stream's past; from now on, replies are delivered. It must not
// be called while Reply runs.
func (h *Hub) Live() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loading, h.pastEnd, h.pastGaps = false, h.seq, h.gapCount
	h.delivered.seq.Store(h.seq)
	h.delivered.known.Store(true)
	h.requeueWaiting()
}

// Close finishes the queued requests, and stops the hub's goroutines.
func (h *Hub) Close() { h.queue.close() }
