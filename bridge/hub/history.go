package hub

import (
	"sort"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// History bounds the replies that are kept for clients that resume. Whichever bound is
// reached first applies.
type History struct {
	// Replies is how many replies are kept. 0 keeps none.
	Replies int
	// Bytes bounds their memory: the frames, and a fixed cost for each reply. 0 is 64 MiB.
	Bytes int
	// Age is how long a reply is kept. 0 is ten minutes.
	Age time.Duration
}

// SetDefaults sets the bounds that are 0, except Replies.
func (h *History) SetDefaults() {
	if h.Bytes == 0 {
		h.Bytes = 64 << 20
	}
	if h.Age == 0 {
		h.Age = 10 * time.Minute
	}
}

// entryCost is roughly how many bytes an entry takes in addition to its frame: the entry, the
// reply, and the strings of its header, which share their memory.
const entryCost = 700

// entry is a past reply, or a gap among the replies.
type entry struct {
	seq   uint64 // of the reply; of a gap, that of the reply before it
	at    time.Time
	frame engine.Frame
	reply *Reply // nil for a gap
	gap   uint64 // the number of the gap, from 1
}

func (e *entry) isGap() bool { return e.reply == nil }

// replyHistory holds the last replies as v1 clients get them, and the gaps among them,
// oldest first. Frames are shared with the logs and with the clients that resume.
type replyHistory struct {
	History
	entries []entry // a ring that grows as needed; its length is a power of two
	tail    uint64  // index of the oldest entry; the ring's place is the index modulo its length
	head    uint64  // index of the next
	bytes   int
	floor   uint64 // everything after this number is here
	beyond  bool   // a gap that is not kept any more had no reply behind it yet
}

// add adds an entry, and drops the oldest ones beyond the bounds.
func (h *replyHistory) add(e entry) {
	if h.beyond && !e.isGap() {
		h.beyond = false
		h.floor = max(h.floor, e.seq-min(e.seq, 1))
	}
	if h.Replies == 0 {
		h.raiseFloor(&e)
		return
	}
	if h.head-h.tail == uint64(len(h.entries)) {
		h.grow()
	}
	*h.at(h.head) = e
	h.head++
	h.bytes += len(e.frame) + entryCost
	for h.len() > h.Replies || h.bytes > h.Bytes {
		h.forget()
	}
	h.expire(e.at)
}

// expire drops the entries that are too old.
func (h *replyHistory) expire(now time.Time) {
	for h.len() > 0 && now.Sub(h.at(h.tail).at) > h.Age {
		h.forget()
	}
	if h.len() == 0 && len(h.entries) > 1024 {
		h.entries = nil // frees the ring that a burst has grown
	}
}

// after returns the index of the first entry after a number. A gap that follows the reply
// with that number is after it, and so is one in which the number lies: a client has that
// from another bridge, and may have missed replies behind it.
func (h *replyHistory) after(seq uint64) uint64 {
	is := func(e *entry) bool { return e.seq > seq || e.seq == seq && e.isGap() }
	place := h.tail + uint64(sort.Search(h.len(), func(i int) bool { return is(h.at(h.tail + uint64(i))) }))
	if place < h.head && h.at(place).seq == seq+1 {
		return place // whatever is missing before it, the client has
	}
	for place > h.tail && h.at(place-1).isGap() {
		place--
	}
	return place
}

// from returns the index of the first entry with at least a number, or behind that: everything before
// it is before the reply with that number.
func (h *replyHistory) from(seq uint64) uint64 {
	return h.tail + uint64(sort.Search(h.len(), func(i int) bool { return h.at(h.tail+uint64(i)).seq >= seq }))
}

// oldest returns the number of the oldest reply that is kept, or nil if there is none.
func (h *replyHistory) oldest() *uint64 {
	for place := h.tail; place < h.head; place++ {
		if e := h.at(place); !e.isGap() {
			return &e.reply.Seq
		}
	}
	return nil
}

func (h *replyHistory) len() int { return int(h.head - h.tail) }

func (h *replyHistory) at(place uint64) *entry { return &h.entries[place&uint64(len(h.entries)-1)] }

func (h *replyHistory) forget() {
	e := h.at(h.tail)
	h.raiseFloor(e)
	if e.isGap() { // a number in the gap is not here, either
		if h.beyond = h.len() == 1; !h.beyond {
			next := h.at(h.tail + 1)
			h.floor = max(h.floor, next.seq-min(next.seq, 1))
		}
	}
	h.bytes -= len(e.frame) + entryCost
	*e = entry{}
	h.tail++
}

// raiseFloor records that an entry is no longer kept. A client that resumes from the reply
// before a gap must not miss the gap.
func (h *replyHistory) raiseFloor(e *entry) {
	h.floor = max(h.floor, e.seq)
	if e.isGap() {
		h.floor = max(h.floor, e.seq+1)
	}
}

func (h *replyHistory) grow() {
	bigger := make([]entry, max(16, 2*len(h.entries)))
	for place := h.tail; place < h.head; place++ {
		bigger[place&uint64(len(bigger)-1)] = *h.at(place)
	}
	h.entries = bigger
}
