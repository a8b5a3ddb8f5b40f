package rooms

import (
	"fmt"
	"strconv"
	"strings"
	"time"

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

// parseSince reads a place.
func parseSince(text string) (Since, error) {
	if text == now {
		return Since{}, nil
	}
	i := strings.LastIndexByte(text, ':')
	seq, err := strconv.ParseUint(text[i+1:], 10, 64)
	if i < 1 || err != nil {
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

	last    uint64 // the number of the last one so far
	kept    []kept // those up to last, without a hole
	evicted kept   // the one before them
	bytes   int
}

// kept is a message, or a gap.
type kept struct {
	seq     uint64
	message *Message
	gap     *gap
	size    int
}

// gap says that messages of a source may have been lost between two times.
type gap struct {
	source   *Source
	from, to time.Time
}

// keptOverhead is about what an entry takes beside the bytes of its message.
const keptOverhead = 256

func (r *recent) add(k kept) {
	r.last++
	k.seq = r.last
	k.size = keptOverhead
	if k.message != nil {
		k.message.Seq = r.last
		k.size += len(k.message.Whole) + len(k.message.Frame)
	}
	r.kept = append(r.kept, k)
	r.bytes += k.size
	for len(r.kept) > 0 && (r.bytes > r.limit || len(r.kept) > maxRecent) {
		r.bytes -= r.kept[0].size
		r.evicted, r.kept[0] = r.kept[0], kept{}
		r.kept = r.kept[1:]
	}
}

// since returns the last that a client has had, and what has come after it. If not all of that is
// known, lost says why. A client that has had nothing has missed nothing.
func (r *recent) since(s Since) (had kept, missed []kept, lost string) {
	oldest := r.last + 1 - uint64(len(r.kept))
	switch {
	case s == Since{} || s == Since{r.epoch, r.last}:
		return kept{}, nil, ""
	case s.epoch != r.epoch || s.seq > r.last:
		return kept{}, nil, "the place is another bridge's, or from before its restart"
	case s.seq+1 < oldest:
		return kept{}, nil, "messages since then are not kept any more"
	case s.seq+1 == oldest:
		return r.evicted, r.kept, ""
	}
	return r.kept[s.seq-oldest], r.kept[s.seq-oldest+1:], ""
}

// token returns the text of the place after a message.
func (r *recent) token(seq uint64) string { return r.epoch + ":" + strconv.FormatUint(seq, 10) }
