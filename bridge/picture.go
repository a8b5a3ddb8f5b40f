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

// album is the pictures that may be given again, by the filter's key. It belongs to
// the desk's goroutine.
type album map[string]*picture

// picture is the snapshot for one filter.
type picture struct {
	*snapshot.Painting
	filter *filter.Filter
	memo   *filter.Memo // while it is painted
	number int          // the filter's in it
	rounds int          // of painting, since it was finished last
	by     *session     // who went on with it last
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

// of gives the picture for a filter, be it finished, begun or empty.
func (a album) of(f *filter.Filter) *picture {
	if p := a[f.ID()]; p != nil {
		return p
	}
	p := &picture{filter: f}
	p.Painting = snapshot.NewPainting(p.keeper(), engine.HeaderRoom, func(text []byte) []byte { return engine.Middle(text) })
	a[f.ID()] = p
	return p
}

// keep sees to it that the pictures are not too many when one has been painted.
func (a album) keep(p *picture) {
	bytes := 0
	for _, other := range a {
		bytes += other.Bytes()
	}
	if len(a) > maxPictures || bytes > maxPainted {
		clear(a) // whoever paints one goes on with it
		a[p.filter.ID()] = p
	}
}

// keeper says which keywords the filter lets into the snapshot; nil is all.
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

// Bounds of what is written of a picture with the hub's lock held: keywords that have
// changed while it was written. Where actors say more than that all the time, the
// last round takes what it takes.
const (
	fewKeywords    = 256
	paintingRounds = 8
)

// paint goes on with the picture for a client's turn. It is true when nothing is left to
// write but what has come meanwhile, which is up to finish.
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

// finish gives the frames of the snapshot as of now, behind its beginning with the
// request's id. It is false when too much has changed for that, and there is more to
// paint. mu is held.
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

// beginning is the first part of a snapshot. mu is held.
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
	return engine.Begin(append(buf, `, "actors": {`...))
}

// ending is the last part of a snapshot.
func ending() engine.Frame {
	return engine.Rest(append(make([]byte, engine.HeaderRoom, engine.HeaderRoom+2), "}}"...))
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

// actorsTask answers who was heard.
func (b *Bridge) actorsTask(s *session, conn engine.Conn, id *string, answered func()) task {
	return func() bool {
		h := b.hub
		h.mu.Lock()
		all := h.values.Actors()
		h.mu.Unlock()
		buf := append(make([]byte, engine.HeaderRoom, 4096), `{"op": "actors", "id": `...)
		buf = append(buf, jsonOf(id)...)
		buf = append(buf, `, "actors": `...)
		frame := engine.Seal(append(all.Append(buf), '}'))
		h.mu.Lock()
		defer h.mu.Unlock()
		h.say(conn, s, frame)
		answered()
		return true
	}
}
