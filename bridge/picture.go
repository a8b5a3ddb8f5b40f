package bridge

import (
	"math"
	"slices"
	"strconv"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// A snapshot may be long, and many clients may ask for the same at the same
// moment: a page that a thousand people load after lunch. So it is written once for
// all of them, in parts without the id of the request, which stands in a part of its
// own (see engine.Begin); and once more only where it has changed.
const (
	maxPictures = 64
	maxPainted  = 32 << 20 // bytes of all pictures that are kept, or one of any size
)

// album caches the pictures by the filter's key. It belongs to the desk's goroutine.
type album map[string]*picture

// picture is the snapshot for one filter.
type picture struct {
	*snapshot.Encoder
	filter *filter.Filter
	memo   *filter.Memo // while it is painted
	number int          // the filter's number in it
	rounds int          // of encoding since it was last finished
	by     *session     // who painted last
}

// maxPaintings is how many pictures are painted at once: until it is done each takes
// its length twice, and as many clients as there are may ask for one of their own.
const maxPaintings = 2

// easel is the pictures that are being painted.
type easel []*picture

// has reports whether a client may go on with a picture now. Those whom nobody waits for
// any more make room.
func (e *easel) has(p *picture, by *session, a album) bool {
	p.by = by
	if slices.Contains(*e, p) {
		return true
	}
	*e = slices.DeleteFunc(*e, func(o *picture) bool {
		gone := o.by.closed.Load()
		if gone && a[o.filter.ID()] == o {
			delete(a, o.filter.ID())
		}
		return gone
	})
	if len(*e) >= maxPaintings {
		return false
	}
	*e = append(*e, p)
	return true
}

func (e *easel) done(p *picture) { *e = without(*e, p) }

// of returns the picture for a filter, finished, begun or new.
func (a album) of(f *filter.Filter) *picture {
	if p := a[f.ID()]; p != nil {
		return p
	}
	p := &picture{filter: f}
	p.Encoder = snapshot.NewEncoder(p.keeper(), engine.HeaderRoom, func(text []byte) []byte { return engine.Must(engine.Middle(text)) })
	a[f.ID()] = p
	return p
}

// keep bounds the cache after a picture was painted.
func (a album) keep(p *picture) {
	bytes := 0
	for _, other := range a {
		bytes += other.Bytes()
	}
	if len(a) > maxPictures || bytes > maxPainted {
		clear(a) // pictures in progress are finished all the same
		a[p.filter.ID()] = p
	}
}

// keeper returns the test of which keywords the filter lets into the snapshot; nil
// means all.
func (p *picture) keeper() func(snapshot.Entry) bool {
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
	fewKeywords    = 256
	paintingRounds = 8
)

// paint paints for a turn of a client. It is true when only the latest changes are left, which are
// up to finish.
func (h *hub) paint(p *picture, by *session) (done bool) {
	if p.memo == nil {
		p.memo = filter.NewMemo(rememberedTexts)
		p.number = p.memo.Add()
	}
	h.mu.Lock()
	near := p.Near(h.values, fewKeywords)
	h.mu.Unlock()
	if near {
		return true
	}
	if !h.easel.has(p, by, h.album) {
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
		h.easel.done(p)
		h.album.keep(p)
	}
	return done
}

// finish returns the frames of the current snapshot, with the request's id in the
// first. It is false if too much has changed, and there is more to paint. mu is held.
func (h *hub) finish(p *picture, id *string) ([]engine.Frame, bool) {
	most := fewKeywords
	if p.rounds++; p.rounds > paintingRounds {
		most = math.MaxInt
	}
	if !p.Finish(h.values, most) {
		return nil, false
	}
	p.rounds, p.memo = 0, nil
	parts := p.Parts()
	frames := make([]engine.Frame, 0, len(parts)+2)
	frames = append(frames, h.beginning(id))
	for _, part := range parts {
		frames = append(frames, part)
	}
	return append(frames, ending()), true
}

// beginning returns the first part of a snapshot. mu is held.
func (h *hub) beginning(id *string) engine.Frame {
	buf := append(make([]byte, engine.HeaderRoom, 256), `{"op": "snapshot", "id": `...)
	buf = append(buf, jsonOf(id)...)
	buf = append(buf, `, "epoch": "`...)
	buf = append(buf, h.epoch...)
	buf = append(buf, `", "seq": `...)
	buf = strconv.AppendUint(buf, h.seq, 10)
	if actors, keywords := h.values.Evicted(); actors+keywords > 0 {
		buf = append(buf, `, "evicted": {"actors": `...)
		buf = strconv.AppendUint(buf, actors, 10)
		buf = append(buf, `, "keywords": `...)
		buf = strconv.AppendUint(buf, keywords, 10)
		buf = append(buf, '}')
	}
	return engine.Must(engine.Begin(append(buf, `, "actors": {`...)))
}

// ending returns the last part of a snapshot.
func ending() engine.Frame {
	return engine.Must(engine.Rest(append(make([]byte, engine.HeaderRoom, engine.HeaderRoom+2), "}}"...)))
}

// snapshotTask answers with the snapshot for a filter.
func (b *Bridge) snapshotTask(s *session, conn engine.Conn, id *string, f *filter.Filter, answered func()) task {
	h := b.hub
	var p *picture
	return func() bool {
		if p == nil {
			p = h.album.of(f)
		}
		if !h.paint(p, s) {
			return false
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		frames, ok := h.finish(p, id)
		if ok {
			h.say(conn, s, frames...)
			answered()
		}
		return ok
	}
}

// actorsTask answers with the actors that were heard.
func (b *Bridge) actorsTask(s *session, conn engine.Conn, id *string, answered func()) task {
	return func() bool {
		h := b.hub
		h.mu.Lock()
		all := h.values.Actors()
		h.mu.Unlock()
		buf := append(make([]byte, engine.HeaderRoom, 4096), `{"op": "actors", "id": `...)
		buf = append(buf, jsonOf(id)...)
		buf = append(buf, `, "actors": `...)
		frame := engine.Must(engine.Seal(append(all.Append(buf), '}')))
		h.mu.Lock()
		defer h.mu.Unlock()
		h.say(conn, s, frame)
		answered()
		return true
	}
}
