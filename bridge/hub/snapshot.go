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

// A snapshot may be long, and many clients may ask for the same at the same
// moment: a page that a thousand people load after lunch. So it is encoded once for all of
// them, in parts without the id of the request, which is in a part of its own (see
// [engine.Begin]), and again only where it has changed.
const (
	maxCachedSnapshots = 64
	maxCachedBytes     = 32 << 20 // bytes of all that are kept, or one of any size
)

// snapshotCache holds encoded snapshots by the filter's key. It belongs to the queue's
// goroutine.
type snapshotCache map[string]*cachedSnapshot

// cachedSnapshot is the encoded snapshot for one filter.
type cachedSnapshot struct {
	*snapshot.Encoder
	filter     *filter.Filter
	memo       *filter.Memo // while it is encoded
	number     int          // the filter's number in it
	rounds     int          // of encoding since it was last finished
	lastClient *Session     // the client whose turn it was last
}

// maxEncoders is how many snapshots are encoded at a time: each takes its length twice until
// it is done, and every client may ask for another one.
const maxEncoders = 2

// encoders is the snapshots that are being encoded.
type encoders []*cachedSnapshot

// admit reports whether a client may go on encoding a snapshot now. Snapshots that nobody
// waits for any more make room.
func (e *encoders) admit(p *cachedSnapshot, by *Session, a snapshotCache) bool {
	p.lastClient = by
	if slices.Contains(*e, p) {
		return true
	}
	*e = slices.DeleteFunc(*e, func(o *cachedSnapshot) bool {
		gone := o.lastClient.closed.Load()
		if gone && a[o.filter.ID()] == o {
			delete(a, o.filter.ID())
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

// of returns the snapshot for a filter, which may be finished, begun or new.
func (a snapshotCache) of(f *filter.Filter) *cachedSnapshot {
	if p := a[f.ID()]; p != nil {
		return p
	}
	p := &cachedSnapshot{filter: f}
	p.Encoder = snapshot.NewEncoder(p.keep(), engine.MaxHeaderSize, func(text []byte) []byte { return engine.Must(engine.MiddleFragment(text)) })
	a[f.ID()] = p
	return p
}

// keep bounds the cache after a snapshot was encoded.
func (a snapshotCache) keep(p *cachedSnapshot) {
	bytes := 0
	for _, other := range a {
		bytes += other.Bytes()
	}
	if len(a) > maxCachedSnapshots || bytes > maxCachedBytes {
		clear(a) // those in progress are finished all the same
		a[p.filter.ID()] = p
	}
}

// keep returns the test of which keywords the filter lets into the snapshot; nil
// means all.
func (p *cachedSnapshot) keep() func(snapshot.Entry) bool {
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

// Bounds of the keywords that changed during encoding and are written with the hub's
// lock held. If actors change more than that all the time, the last round has no bound.
const (
	maxLockedKeywords = 256
	encodingRounds    = 8
)

// stepSnapshot does one step of the encoding. It is true when only the latest changes are
// left, which finishSnapshot encodes.
func (h *Hub) stepSnapshot(p *cachedSnapshot, by *Session) (done bool) {
	if p.memo == nil {
		p.memo = filter.NewMemo(memoTexts)
		p.number = p.memo.Add()
	}
	h.mu.Lock()
	near := p.Near(h.values, maxLockedKeywords)
	h.mu.Unlock()
	if near {
		return true
	}
	if !h.encoding.admit(p, by, h.snapshots) {
		return false // in the next turn, perhaps
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
		h.snapshots.keep(p)
	}
	return done
}

// finishSnapshot returns the frames of the current snapshot, with the request's id in the
// first. It is false if too much has changed, which must be encoded first. mu is held.
func (h *Hub) finishSnapshot(p *cachedSnapshot, id *string) ([]engine.Frame, bool) {
	most := maxLockedKeywords
	if p.rounds++; p.rounds > encodingRounds {
		most = math.MaxInt
	}
	if !p.Finish(h.values, most) {
		return nil, false
	}
	p.rounds, p.memo = 0, nil
	parts := p.Parts()
	frames := make([]engine.Frame, 0, len(parts)+2)
	frames = append(frames, h.snapshotHead(id))
	for _, part := range parts {
		frames = append(frames, part)
	}
	return append(frames, snapshotTail()), true
}

// snapshotHead returns the first part of a snapshot. mu is held.
func (h *Hub) snapshotHead(id *string) engine.Frame {
	buf := append(make([]byte, engine.MaxHeaderSize, 256), `{"op": "snapshot", "id": `...)
	buf = append(buf, protocol.JSON(id)...)
	buf = append(buf, `, "epoch": "`...)
	buf = append(buf, h.Epoch...)
	buf = append(buf, `", "seq": `...)
	buf = strconv.AppendUint(buf, h.seq, 10)
	if actors, keywords := h.values.Evicted(); actors+keywords > 0 {
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

// Snapshot answers with the last value of every keyword that the filter lets through.
// longFilter is the text of a filter that takes long to parse, in place of f; nil if there
// is none. The error is as that of Subscribe.
func (h *Hub) Snapshot(conn Conn, s *Session, id *string, f *filter.Filter, longFilter []byte) error {
	snapshot := func(f *filter.Filter, answered func()) Task { return h.snapshotTask(conn, s, id, f, answered) }
	if longFilter != nil {
		return h.submitFiltered(conn, s, id, longFilter, snapshot)
	}
	return h.submitSteps(s, multiTurn, 0, func(answered func()) Task { return snapshot(f, answered) })
}

// snapshotTask answers with the snapshot for a filter, once the past of a stream was read.
func (h *Hub) snapshotTask(conn Conn, s *Session, id *string, f *filter.Filter, answered func()) Task {
	var p *cachedSnapshot
	write := func() bool {
		if p == nil {
			p = h.snapshots.of(f)
		}
		if !h.stepSnapshot(p, s) {
			return false
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		frames, ok := h.finishSnapshot(p, id)
		if ok {
			h.sayTo(conn, s, frames...)
			answered()
		}
		return ok
	}
	return (&waiter{hub: h, session: s, run: write}).step
}

// Actors answers with the actors that were heard.
func (h *Hub) Actors(conn Conn, s *Session, id *string) error {
	return h.submitAfterPast(s, func(answered func()) Task {
		return func() bool {
			h.mu.Lock()
			all := h.values.Actors()
			h.mu.Unlock()
			buf := append(make([]byte, engine.MaxHeaderSize, 4096), `{"op": "actors", "id": `...)
			buf = append(buf, protocol.JSON(id)...)
			buf = append(buf, `, "actors": `...)
			frame := engine.Must(engine.NewText(append(all.Append(buf), '}')))
			h.mu.Lock()
			defer h.mu.Unlock()
			h.sayTo(conn, s, frame)
			answered()
			return true
		}
	})
}
