package hub

import (
	"errors"
	"time"

	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// OlderReader reads the replies of a stream from a number up to another one, which is not part of it, with the gaps among
// them, in order. A gap has a number of its own. It returns the oldest number that is in the stream. It may block, for a
// bounded time, and it is called by at most maxOlderReaders goroutines at a time.
type OlderReader func(from, until uint64, reply func(seq uint64, r *Reply), gap func(seq uint64, from, to time.Time)) (oldest uint64, err error)

// Bounds of reading a stream for pages of the log.
const (
	olderReplies     = 1000            // numbers that are read at once
	maxOlderBytes    = 4 << 20         // of their frames that are kept meanwhile
	maxOlderParts    = 4               // that are read for one page
	maxOlderTime     = 2 * time.Second // after which no other part is read for the page
	maxOlderReaders  = 2               // at a time
	maxOlderWaiting  = 256             // pages that wait for their turn
	maxOlderOfClient = maxOlderWaiting / 8
)

// errOlderBusy refuses a page for which the stream would have to be read, since too many wait for that.
var errOlderBusy = errors.New("too many requests wait for replies that are only in the stream; ask again later")

// olderPart is a part of a stream that was read for a page.
type olderPart struct {
	entries     []entry // that were not matched yet, oldest first
	from, until uint64  // its bounds: what could not be kept is outside
	forwards    bool
	bytes       int
	full        bool   // forwards, what follows is outside
	oldest      uint64 // in the stream or in memory
}

// add adds an entry, within the bounds of the memory.
func (p *olderPart) add(e entry) {
	if p.full {
		return
	}
	if p.forwards && p.bytes > 0 && p.bytes+len(e.frame) > maxOlderBytes {
		p.full, p.until = true, e.seq
		return
	}
	p.entries = append(p.entries, e)
	p.bytes += len(e.frame)
	for !p.forwards && p.bytes > maxOlderBytes && len(p.entries) > 1 {
		p.bytes -= len(p.entries[0].frame)
		p.entries[0] = entry{}
		p.entries = p.entries[1:]
		p.from = p.entries[0].seq
	}
}

// pop moves entries to the end of a chunk, in the order of the search.
func (p *olderPart) pop(chunk []entry) []entry {
	n := min(chunkEntries, len(p.entries))
	if p.forwards {
		chunk = append(chunk, p.entries[:n]...)
		p.entries = p.entries[n:]
		return chunk
	}
	for range n {
		last := len(p.entries) - 1
		chunk = append(chunk, p.entries[last])
		p.entries = p.entries[:last]
	}
	return chunk
}

// olderSearch is the part of a request for the log that reads a stream. Before and after what is in memory, it goes on in
// the stream:
//
//	take: there is no more in memory ──► wants ──► readOlder, on a goroutine of its own ──► queued again ──► take ...
type olderSearch struct {
	place  uint64 // backwards, what is from this number on was searched; forwards, what is up to it
	part   *olderPart
	inPart bool // what was searched last was of the stream
	wants  bool // a part of it
	parts  int  // that were read
	began  time.Time
	oldest *uint64 // in the stream or in memory, once the stream was read
	paused bool    // the page ends although it has room
}

// takeOlder copies the next entries of the part of the stream that was read. It reports false if there are none. mu is held.
func (t *logRequest) takeOlder() bool {
	p := t.older.part
	if p == nil {
		return false
	}
	if t.buffer.chunk = p.pop(t.buffer.chunk); len(t.buffer.chunk) > 0 {
		return true
	}
	t.older.part, t.older.inPart = nil, true
	if p.forwards {
		t.older.place = max(p.until, p.oldest) - 1
		t.next = t.hub.history.after(t.older.place)
	} else {
		t.older.place = max(p.from, p.oldest)
	}
	return false
}

// forgotten reports whether the stream has what follows in the order of the search, and memory has not. mu is held.
func (t *logRequest) forgotten() bool {
	h := t.hub
	switch {
	case h.readOlder == nil || !h.numbered:
		return false
	case t.After != nil:
		first := h.firstKept()
		return first > 0 && t.older.place < first-1
	}
	least := uint64(0)
	if t.older.oldest != nil {
		least = *t.older.oldest
	}
	return t.older.place > least
}

// reached notes that an entry was searched.
func (t *logRequest) reached(e *entry) {
	switch {
	case e.isGap() && t.older.part == nil: // in memory, it has the number of the reply before it
	case t.After != nil:
		t.older.place = max(t.older.place, e.seq)
	default:
		t.older.place = min(t.older.place, e.seq)
	}
}

// goOn makes the request read the stream, unless the page has cost enough. It reports whether it will. mu is held.
func (t *logRequest) goOn() bool {
	o := &t.older
	if o.parts == 0 {
		o.began = t.hub.now()
	}
	if o.parts == maxOlderParts || t.hub.now().Sub(o.began) > maxOlderTime {
		o.paused, t.full = true, true
		return false
	}
	if !o.inPart && (t.After != nil || o.place <= t.hub.seq) {
		t.gaps = nil // those beyond the last reply are in the stream, too, with others that are forgotten
	}
	o.wants = true
	return true
}

// readOlder reads the next part of the stream on a goroutine of its own, and queues the request again.
func (t *logRequest) readOlder() {
	h, s := t.hub, t.session
	t.older.wants = false
	t.older.parts++
	p := &olderPart{from: t.older.place + 1, forwards: t.After != nil}
	h.mu.Lock()
	busy := h.olderPages[s] == maxOlderOfClient
	if !busy {
		h.olderPages[s]++
	}
	first := h.firstKept()
	h.mu.Unlock()
	if p.forwards {
		p.until = min(p.from+olderReplies, first)
	} else {
		p.until = t.older.place
		p.from = p.until - min(p.until, olderReplies)
	}
	read := func() {
		err := h.readPart(p)
		p.oldest = min(p.oldest, first) // memory has more than a stream that was made anew
		h.hasRead(s)
		h.queue.submitSteps(&s.queue, multiTurn, t.resumeWith(p, err))
	}
	if !busy && !h.olderReaders.Do(read) {
		h.hasRead(s)
		busy = true
	}
	if busy {
		t.refuse(errOlderBusy)
	}
}

// hasRead notes that the stream has been read for a page of a client.
func (h *Hub) hasRead(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.olderPages[s]--; h.olderPages[s] == 0 {
		delete(h.olderPages, s)
	}
}

// resumeWith returns the task that goes on with what was read.
func (t *logRequest) resumeWith(p *olderPart, err error) Task {
	begun := false
	return func() (done bool) {
		if begun {
			return t.session.closed.Load() || t.step()
		}
		begun = true
		switch {
		case t.session.closed.Load():
			return true
		case err != nil:
			t.refuse(err)
			return true
		}
		t.older.part, t.older.oldest = p, &p.oldest
		return t.step()
	}
}

// firstKept returns the number of the first reply that is kept in memory, or the next one that comes. mu is held.
func (h *Hub) firstKept() uint64 {
	if oldest := h.history.oldest(); oldest != nil {
		return *oldest
	}
	return h.seq + 1
}

func (t *logRequest) refuse(err error) {
	h := t.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sayTo(t.conn, t.session, protocol.BadRequest(t.ID, err))
	t.answered()
}

// readPart reads a part of the stream.
func (h *Hub) readPart(p *olderPart) (err error) {
	p.oldest, err = h.readOlder(p.from, p.until, func(seq uint64, r *Reply) {
		if e := h.pastEntry(seq, r); !r.Unroutable {
			p.add(e)
		}
	}, func(seq uint64, from, to time.Time) {
		p.add(entry{seq: seq, frame: protocol.EncodeGap(from, to)})
	})
	return err
}

// pastEntry returns the entry of a reply from before those that are kept.
func (h *Hub) pastEntry(seq uint64, r *Reply) entry {
	now := h.now()
	r.Seq, r.Past = seq, true
	r.heard = h.heard.of(r, now)
	r.encode(h.Epoch)
	r.Plain, r.MessageID = nil, ""
	return entry{seq: seq, at: now, frame: r.Frame, reply: r}
}
