package rooms

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// Since is a client's place among the messages for rooms: the last one that it has had. Its text is
// EPOCH:SEQ, or "now" for a client that has had none.
type Since struct {
	epoch string
	seq   uint64
}

// now is the text of the place of a client that has had nothing yet.
const now = "now"

// maxEpoch is the length of the longest epoch, in bytes. Clients' places are kept.
const maxEpoch = 64

// parseSince reads a place.
func parseSince(text string) (Since, error) {
	if text == now {
		return Since{}, nil
	}
	i := strings.LastIndexByte(text, ':')
	seq, err := strconv.ParseUint(text[i+1:], 10, 64)
	if i < 1 || i > maxEpoch || err != nil {
		return Since{}, fmt.Errorf("since=%s is no place among a room's messages; give that of the last message that you had, or since=now", quote.Text(text))
	}
	return Since{strings.Clone(text[:i]), seq}, nil
}

// maxRecent is how many messages are kept, so that none who resumes holds up the others for long.
const maxRecent = 20_000

// recent keeps the latest messages for rooms, and the gaps among them. They are numbered.
type recent struct {
	epoch string
	limit int // bytes

	last    uint64  // the number of the last one so far
	kept    []*kept // those up to last, without a hole
	bytes   int
	frames  int // bytes of their frames, in addition
	evicted evicted
}

// kept is a message, or a gap.
type kept struct {
	seq     uint64
	message *Message
	gap     *gap
	frame   engine.Frame // for those who resume; nil until one gets it
	size    int
}

// gap says that messages of a source may have been lost between two times.
type gap struct {
	source   *Source
	from, to time.Time
}

// evicted is what is known of those that are not kept any more.
type evicted struct {
	rooms map[string]uint64  // the last one of a room
	gaps  map[*Source]uint64 // the last gap of a source
	other uint64             // no room that is not in rooms has a later one
	// publication is that of the last one, and first is the first one that it had.
	publication, first uint64
}

// keptOverhead is about what an entry takes beside the bytes of its message.
const keptOverhead = 256

// add keeps a message or a gap, which gets the next number.
func (r *recent) add(k *kept) {
	r.last++
	k.seq = r.last
	k.size = keptOverhead
	if m := k.message; m != nil {
		m.Seq = r.last
		k.size += len(m.Whole)
		// The messages of a publication share its bytes, which count with the last of them.
		if n := len(r.kept); n > 0 && r.kept[n-1].publication() == m.Publication {
			r.kept[n-1].size -= len(m.Whole)
			r.bytes -= len(m.Whole)
		}
	}
	r.kept = append(r.kept, k)
	r.bytes += k.size
	for len(r.kept) > 0 && (r.bytes > r.limit || len(r.kept) > maxRecent) {
		r.evict()
	}
}

// publication returns the number of the publication that a message is of; 0 for a gap.
func (k *kept) publication() uint64 {
	if k.message == nil {
		return 0
	}
	return k.message.Publication
}

// evict drops the oldest one.
func (r *recent) evict() {
	k := r.kept[0]
	r.kept[0] = nil
	r.kept = r.kept[1:]
	r.bytes -= k.size
	r.frames -= len(k.frame)
	k.frame = nil
	e := &r.evicted
	if p := k.publication(); p == 0 || p != e.publication {
		e.publication, e.first = p, k.seq
	}
	if k.gap != nil {
		if e.gaps == nil {
			e.gaps = map[*Source]uint64{}
		}
		e.gaps[k.gap.source] = k.seq
		return
	}
	if _, known := e.rooms[k.message.Path]; !known && len(e.rooms) >= maxRooms || e.rooms == nil {
		e.rooms, e.other = map[string]uint64{}, k.seq-1
	}
	e.rooms[k.message.Path] = k.seq
}

// after reports whether one after a place is not kept any more that somebody wants.
func (e *evicted) after(seq uint64, paths map[string]bool, hears func(s *Source) bool) bool {
	if seq < e.other {
		return true
	}
	for path := range paths {
		if e.rooms[path] > seq {
			return true
		}
	}
	for source, last := range e.gaps {
		if last > seq && hears(source) {
			return true
		}
	}
	return false
}

// since returns what has come since a place, and the publication that a client had last. paths are those
// whose messages it wants, and hears the sources whose gaps. If not all of that is known, lost says
// why. A client that has had nothing has missed nothing.
func (r *recent) since(s Since, paths map[string]bool, hears func(s *Source) bool) (had uint64, missed []*kept, lost string) {
	oldest := r.last + 1 - uint64(len(r.kept))
	switch {
	case s == Since{} || s == Since{r.epoch, r.last}:
		return 0, nil, ""
	case s.epoch != r.epoch || s.seq > r.last:
		return 0, nil, "the place is another bridge's, or from before its restart"
	case s.seq >= oldest:
		if k := r.kept[s.seq-oldest]; k.message != nil && paths[k.message.Path] {
			had = k.message.Publication
		}
		return had, r.kept[s.seq-oldest+1:], ""
	case r.evicted.after(s.seq, paths, hears):
		return 0, nil, "messages since then are not kept any more"
	case s.seq >= r.evicted.first:
		had = r.evicted.publication // of which some messages may be kept
	}
	return had, r.kept, ""
}

// before returns what is kept up to a place.
func (r *recent) before(s Since) []*kept {
	oldest := r.last + 1 - uint64(len(r.kept))
	if s.epoch != r.epoch || s.seq < oldest || s.seq > r.last {
		return nil
	}
	return r.kept[:s.seq-oldest+1]
}

// encoded returns the frame of a message or a gap, which all get alike. It is kept if there is room.
func (r *recent) encoded(k *kept, encode func(k *kept) engine.Frame) engine.Frame {
	if k.frame != nil {
		return k.frame
	}
	f := encode(k)
	if k.seq > r.last-uint64(len(r.kept)) && r.frames+len(f) <= r.limit {
		k.frame = f
		r.frames += len(f)
	}
	return f
}

// token returns the text of the place after a message.
func (r *recent) token(seq uint64) string { return r.epoch + ":" + strconv.FormatUint(seq, 10) }
