package hub

import (
	"math"
	"slices"
	"strconv"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
	"github.com/clu-ws/clu-ws/internal/unordered"
)

// A snapshot may be long, and many clients may ask for the same one at the same moment, as when
// the bridge restarts under a thousand open pages. So it is encoded once for all of them, and
// again only where it has changed. The id of the request is in a separate part (see
// [engine.FirstFragment]).
const (
	maxCachedSnapshots = 64
	maxCachedBytes     = 32 << 20 // of all snapshots in the cache, unless it is a single one
)

// snapshotCache holds encoded snapshots by the ids of their filter and of their clients' view. It
// belongs to the queue's request goroutine.
type snapshotCache map[string]*cachedSnapshot

// cachedSnapshot is the encoded snapshot for one filter and the clients with one view.
type cachedSnapshot struct {
	*snapshot.Encoder
	key        string
	filter     *filter.Filter
	view       *filter.View // nil is everything
	memo       *filter.Memo // while it is encoded
	number     int          // the filter's number in it
	seen       *filter.MemoView
	rounds     int      // of encoding since it was last finished
	lastClient *Session // the client that had the last turn
}

// maxEncoders is how many snapshots are encoded at a time: each takes twice its length in
// memory until it is done, and every client may ask for a different one.
const maxEncoders = 2

// encoders holds the snapshots that are being encoded.
type encoders []*cachedSnapshot

// admit reports whether a client may go on encoding a snapshot now. Snapshots whose clients
// have disconnected give way.
func (e *encoders) admit(p *cachedSnapshot, by *Session, cache snapshotCache) bool {
	p.lastClient = by
	if slices.Contains(*e, p) {
		return true
	}
	*e = slices.DeleteFunc(*e, func(o *cachedSnapshot) bool {
		gone := o.lastClient.closed.Load()
		if gone && cache[o.key] == o {
			delete(cache, o.key)
		}
		return gone
	})
	if len(*e) >= maxEncoders {
		return false
	}
	*e = append(*e, p)
	return true
}

func (e *encoders) done(p *cachedSnapshot) { *e = unordered.Remove(*e, p) }

// of returns the snapshot for a filter and a view, which may be finished, begun or new.
func (c snapshotCache) of(f *filter.Filter, v *filter.View) *cachedSnapshot {
	key := f.ID()
	if v != nil {
		key += " seen by " + v.ID()
	}
	if p := c[key]; p != nil {
		return p
	}
	p := &cachedSnapshot{key: key, filter: f, view: v}
	p.Encoder = snapshot.NewEncoder(p.selector(), p.visible(), engine.MaxHeaderSize, func(text []byte) []byte { return engine.Must(engine.MiddleFragment(text)) })
	c[key] = p
	return p
}

// trim empties the cache if it is too large, except for the snapshot that was just encoded.
func (c snapshotCache) trim(p *cachedSnapshot) {
	bytes := 0
	for _, other := range c {
		bytes += other.Bytes()
	}
	if len(c) > maxCachedSnapshots || bytes > maxCachedBytes {
		clear(c) // those in progress are still finished
		c[p.key] = p
	}
}

// selector returns the function that selects the keywords for the snapshot; nil selects all.
func (p *cachedSnapshot) selector() func(snapshot.Entry) bool {
	if p.filter.Key() == "{}" {
		return nil
	}
	r := &filter.Reply{Keywords: make([]string, 1)}
	return func(e snapshot.Entry) bool {
		r.Sender, r.RoutingKey, r.Code, r.CommandID = e.Actor, e.RoutingKey, e.Code, e.CommandID
		r.Commander, r.Internal, r.Keywords[0] = e.Commander, e.Internal, e.Keyword
		p.memo.Look(r)
		return p.memo.Match(p.filter, p.number, false)
	}
}

// visible returns what clients with the snapshot's view may know of; nil is everything.
func (p *cachedSnapshot) visible() *snapshot.Visible {
	if p.view == nil {
		return nil
	}
	return visibleTo(p.view, func() (*filter.Memo, *filter.MemoView) { return p.memo, p.seen })
}

// visibleTo returns what clients with a view may know of. A reply of which not everything is
// known is visible only if the view certainly selects it. memo returns a memo that has the view.
func visibleTo(v *filter.View, memo func() (*filter.Memo, *filter.MemoView)) *snapshot.Visible {
	r, one := new(filter.Reply), make([]string, 1)
	return &snapshot.Visible{Keywords: v.NeedsKeywords(), AllOf: v.SelectsAllOf, Reply: func(e snapshot.Entry) bool {
		*r = filter.Reply{
			Sender: e.Actor, RoutingKey: e.RoutingKey, Code: e.Code, CommandID: e.CommandID, Commander: e.Commander,
			Internal: e.Internal, Keywords: e.Keywords,
		}
		m, seen := memo()
		if e.Cut {
			return false // a hide filter may select what was cut off
		}
		if !e.Known && v.NeedsKeywords() {
			if one[0] = e.Keyword; e.Keyword != "" {
				r.Keywords = one
			}
			m.Look(r) // counts the work
			return v.MatchPart(r)
		}
		m.Look(r)
		return seen.Match()
	}}
}

// Bounds of the keywords that changed during the encoding and are written with the hub's lock
// held. If more than that change all the time, the last round has no bound.
const (
	maxLockedKeywords = 256
	encodingRounds    = 8
)

// stepSnapshot does one step of the encoding. It returns true when only the latest changes are
// left, which finishSnapshot encodes.
func (h *Hub) stepSnapshot(p *cachedSnapshot, by *Session) (done bool) {
	if p.memo == nil {
		p.memo = filter.NewMemo(memoTexts)
		p.number = p.memo.Add()
		if p.view != nil {
			p.seen = p.memo.AddView(p.view)
		}
	}
	h.mu.Lock()
	near := p.Near(h.values, maxLockedKeywords)
	h.mu.Unlock()
	if near {
		return true
	}
	if !h.encoding.admit(p, by, h.snapshots) {
		return false // it tries again in the next turn
	}
	h.mu.Lock()
	p.Start(h.values)
	h.mu.Unlock()
	begun, written := p.memo.Work(), 0
	done = p.Step(func(bytes int) bool {
		written += 1 + bytes/64
		return p.memo.Work()-begun+written > turnWork
	})
	if done {
		h.encoding.done(p)
		h.snapshots.trim(p)
	}
	return done
}

// finishSnapshot returns the frames of the current snapshot, with the request's id in the
// first. It returns false if so much has changed that another stepSnapshot is needed. mu is
// held.
func (h *Hub) finishSnapshot(p *cachedSnapshot, id *string) ([]engine.Frame, bool) {
	most := maxLockedKeywords
	if p.rounds++; p.rounds > encodingRounds {
		most = math.MaxInt
	}
	if !p.Finish(h.values, most) {
		return nil, false
	}
	p.rounds, p.memo, p.seen = 0, nil, nil
	parts := p.Parts()
	frames := make([]engine.Frame, 0, len(parts)+2)
	frames = append(frames, h.snapshotHead(id, p.view))
	for _, part := range parts {
		frames = append(frames, part)
	}
	return append(frames, snapshotTail()), true
}

// snapshotHead returns the first part of a snapshot. What was evicted in all is told to those alone
// who may hear everything. mu is held.
func (h *Hub) snapshotHead(id *string, v *filter.View) engine.Frame {
	buf := append(make([]byte, engine.MaxHeaderSize, 256), `{"op": "snapshot", "id": `...)
	buf = append(buf, protocol.JSON(id)...)
	buf = append(buf, `, "epoch": "`...)
	buf = append(buf, h.Epoch...)
	buf = append(buf, `", "seq": `...)
	buf = strconv.AppendUint(buf, h.seq, 10)
	if h.gapAfter > 0 {
		buf = append(buf, `, "gap_after": `...)
		buf = strconv.AppendUint(buf, h.gapAfter, 10)
	}
	if actors, keywords := h.values.Evicted(); v == nil && actors+keywords > 0 {
		buf = append(buf, `, "evicted": {"actors": `...)
		buf = strconv.AppendUint(buf, actors, 10)
		buf = append(buf, `, "keywords": `...)
		buf = strconv.AppendUint(buf, keywords, 10)
		buf = append(buf, '}')
	}
	return engine.Must(engine.FirstFragment(append(buf, `, "actors": {`...)))
}

// snapshotTail returns the last part of a snapshot.
func snapshotTail() engine.Frame {
	return engine.Must(engine.LastFragment(append(make([]byte, engine.MaxHeaderSize, engine.MaxHeaderSize+2), "}}"...)))
}

// Snapshot answers with the last value of every keyword that the filter selects. longFilter,
// unless nil, is the text of a filter that takes long to parse, and replaces f. Snapshot fails
// as Subscribe does.
func (h *Hub) Snapshot(conn Conn, s *Session, id *string, f *filter.Filter, longFilter []byte) error {
	snapshot := func(f *filter.Filter, answered func()) Task { return h.snapshotTask(conn, s, id, f, answered) }
	if longFilter != nil {
		return h.submitFiltered(conn, s, id, longFilter, snapshot)
	}
	return h.submitSteps(s, multiTurn, 0, func(answered func()) Task { return snapshot(f, answered) })
}

// snapshotTask answers with the snapshot for a filter once the past of a stream has been read.
func (h *Hub) snapshotTask(conn Conn, s *Session, id *string, f *filter.Filter, answered func()) Task {
	t := &snapshotRequest{hub: h, conn: conn, session: s, id: id, filter: f, answered: answered}
	return (&waiter{hub: h, session: s, run: t.step}).step
}

// snapshotRequest is a request for a snapshot in progress.
type snapshotRequest struct {
	hub      *Hub
	conn     Conn
	session  *Session
	id       *string
	filter   *filter.Filter
	answered func()

	snapshot *cachedSnapshot // nil before its first turn
}

// step does one turn's work.
func (t *snapshotRequest) step() (done bool) {
	h, s := t.hub, t.session
	if t.snapshot == nil {
		t.snapshot = h.snapshots.of(t.filter, s.viewer.Load().view())
	}
	if !h.stepSnapshot(t.snapshot, s) {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if t.snapshot.view.Key() != s.viewer.Load().view().Key() { // it changed meanwhile
		t.snapshot = nil
		return false
	}
	frames, ok := h.finishSnapshot(t.snapshot, t.id)
	if ok {
		h.sayTo(t.conn, s, frames...)
		t.answered()
	}
	return ok
}
