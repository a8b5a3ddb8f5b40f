package hub

import (
	"sort"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// History bounds the memory of the past: the last replies, for clients that
// resume. The first bound that is reached counts.
type History struct {
	// Replies is how many are kept. 0 keeps none.
	Replies int
	// Bytes bounds their frames and what each costs beside them. 0 is 64 MiB.
	Bytes int
	// Age is how long a reply is kept. 0 is ten minutes.
	Age time.Duration
}

func (h *History) SetDefaults() {
	if h.Bytes == 0 {
		h.Bytes = 64 << 20
	}
	if h.Age == 0 {
		h.Age = 10 * time.Minute
	}
}

// entryCost is about what an entry of the history costs beside its frame, in bytes: itself,
// the reply, and the texts of its header, which share their memory.
const entryCost = 700

// entry is a reply of the past, or a notice among the replies.
type entry struct {
	seq   uint64 // the reply's; a notice has that of the reply before it
	at    time.Time
	frame engine.Frame
	reply *Reply // nil for a notice
	gap   uint64 // a notice's: how many gaps there were with it
}

func (e *entry) isGap() bool { return e.reply == nil }

// replyHistory holds the last replies as v1 clients get them, the oldest first, and
// the notices of gaps among them. Frames are shared with the log and with every
// client that resumes.
type replyHistory struct {
	History
	entries []entry // a circle that grows as it must; its length is a power of two
	tail    uint64  // the place of the oldest entry
	head    uint64  // the place of the next
	bytes   int
	// floor is the lowest sequence number behind which everything is here.
	floor uint64
}

// add keeps a reply or a notice, and drops the oldest beyond the bounds.
func (h *replyHistory) add(e entry) {
	if h.Replies == 0 {
		h.tooOld(&e)
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

// expire drops what is too old.
func (h *replyHistory) expire(now time.Time) {
	for h.len() > 0 && now.Sub(h.at(h.tail).at) > h.Age {
		h.forget()
	}
	if h.len() == 0 && len(h.entries) > 1024 {
		h.entries = nil // a burst is over: its circle need not stay
	}
}

// after returns the index of the first entry after a sequence number that is still
// kept.
func (h *replyHistory) after(seq uint64) uint64 {
	is := func(e *entry) bool { return e.seq > seq || e.seq == seq && e.isGap() }
	return h.tail + uint64(sort.Search(h.len(), func(i int) bool { return is(h.at(h.tail + uint64(i))) }))
}

func (h *replyHistory) len() int { return int(h.head - h.tail) }

func (h *replyHistory) at(place uint64) *entry { return &h.entries[place&uint64(len(h.entries)-1)] }

func (h *replyHistory) forget() {
	e := h.at(h.tail)
	h.tooOld(e)
	h.bytes -= len(e.frame) + entryCost
	*e = entry{}
	h.tail++
}

// tooOld notes that an entry is not kept. A client that asks for what follows the reply
// before a notice must not miss the notice.
func (h *replyHistory) tooOld(e *entry) {
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
