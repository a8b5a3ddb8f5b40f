package bridge

import (
	"strconv"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// A snapshot may be long, and many clients may ask for the same at the same
// moment: a page that a thousand people load after lunch. So it is written once for
// all of them, without the id of the request, which stands in a part of its own
// (see engine.Begin). One that is not older than pictureAge is good enough for who
// subscribes: the replies that came since follow it.
const (
	pictureAge  = 250 * time.Millisecond
	maxPictures = 64
	maxPainted  = 32 << 20 // bytes of all pictures that are kept, or one of any size
)

// album is the pictures that may be given again, by the filter's key.
type album struct {
	pictures map[string]picture
	bytes    int
}

func (a *album) keep(key string, p picture) {
	a.bytes += len(p.rest) - len(a.pictures[key].rest)
	if a.pictures == nil || len(a.pictures) >= maxPictures || a.bytes > maxPainted {
		a.pictures, a.bytes = map[string]picture{}, len(p.rest)
	}
	a.pictures[key] = p
}

// picture is a snapshot for one filter, as it goes to clients.
type picture struct {
	at   time.Time
	seq  uint64
	rest engine.Frame
}

// pictureFor adds a snapshot of what a new subscription wishes, and the replies that
// have come since it was taken. One that heard something before may have had what an
// older snapshot lacks: it is given none but the newest. mu is held.
func (h *hub) pictureFor(d demand, s *session, next *group, to *past) {
	if d.since == nil && s.group == nil {
		p, ok := h.album.pictures[d.wish.filter.Key()]
		if ok && p.seq != h.seq && time.Since(p.at) < pictureAge {
			if missed, complete := h.missing(d.wish, s, next, p.seq); complete {
				missed.frames = append(p.frames(d.id), missed.frames...)
				*to = missed
				return
			}
		}
	}
	to.frames = append(to.frames, h.snapshot(d.wish.filter).frames(d.id)...)
}

// snapshot gives the snapshot for a filter as of now. mu is held.
func (h *hub) snapshot(f *filter.Filter) picture {
	key := f.Key()
	if p, ok := h.album.pictures[key]; ok && p.seq == h.seq {
		return p
	}
	p := picture{at: time.Now(), seq: h.seq, rest: engine.Rest(h.paint(f, len(h.album.pictures[key].rest)))}
	h.album.keep(key, p)
	return p
}

// paint writes a snapshot, but for its beginning. It is about as long as the last
// one: a buffer that must grow is copied again and again.
func (h *hub) paint(f *filter.Filter, last int) []byte {
	buf := make([]byte, engine.HeaderRoom, 4096+last+last/32)
	buf = append(buf, `"epoch": "`...)
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
	buf = append(buf, `, "actors": `...)
	buf = h.values.Append(buf, keepers(f))
	return append(buf, '}')
}

// keepers says which keywords a filter lets into a snapshot; nil is all.
func keepers(f *filter.Filter) func(snapshot.Entry) bool {
	if f.Key() == "{}" {
		return nil
	}
	keyword := make([]string, 1)
	return func(e snapshot.Entry) bool {
		keyword[0] = e.Keyword
		return f.Match(&filter.Reply{
			Sender: e.Actor, RoutingKey: e.RoutingKey, Code: e.Code, CommandID: e.CommandID,
			Commander: e.Commander, Internal: e.Internal, Keywords: keyword,
		})
	}
}

// frames are the message for the client that asked with this id.
func (p picture) frames(id *string) []engine.Frame {
	buf := append(make([]byte, engine.HeaderRoom, 64), `{"op": "snapshot", "id": `...)
	buf = append(buf, jsonOf(id)...)
	return []engine.Frame{engine.Begin(append(buf, ", "...)), p.rest}
}

// actors tells who was heard. mu is held.
func (h *hub) actors(id *string) engine.Frame {
	buf := append(make([]byte, engine.HeaderRoom, 4096), `{"op": "actors", "id": `...)
	buf = append(buf, jsonOf(id)...)
	buf = append(buf, `, "actors": `...)
	return engine.Seal(append(h.values.AppendActors(buf), '}'))
}
