package hub

import (
	"slices"
	"strconv"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// LogRequest asks for a page of the kept replies, with the gaps among them.
type LogRequest struct {
	ID     *string
	Filter *filter.Filter
	// Before asks for the last replies before a number, and After for the first ones after it. At
	// most one of them is set; without either, the page has the last replies of all.
	Before, After *uint64
	// Epoch is that of these numbers; "" is the bridge's.
	Epoch string
	// Limit is how many replies the page has at most; the gaps among them are not counted.
	Limit int
}

// Bounds of a page.
const (
	MaxLogLimit = 1000
	// maxLogBytes bounds the entries of a page together, unless it has a single reply.
	maxLogBytes = 1 << 20
)

// errOtherEpoch answers a request for numbers of another epoch.
func (h *Hub) errOtherEpoch() error {
	return &protocol.Rejection{Code: protocol.CodeGone, Message: "The numbers have begun anew: this is epoch " + h.Epoch + ". Ask without \"before\" and \"after\", and go on from there."}
}

// Log answers with a page of the kept replies that a filter selects. longFilter is as in
// [Hub.Subscribe].
func (h *Hub) Log(conn Conn, s *Session, d LogRequest, longFilter []byte) error {
	page := func(f *filter.Filter, answered func()) Task {
		d.Filter = f
		t := &logRequest{hub: h, conn: conn, session: s, LogRequest: d, answered: answered}
		return (&waiter{hub: h, session: s, run: t.step}).step
	}
	if longFilter != nil {
		return h.submitFiltered(conn, s, d.ID, longFilter, page)
	}
	return h.submitSteps(s, multiTurn, 0, func(answered func()) Task { return page(d.Filter, answered) })
}

// logRequest is a request for a page in progress. The history is matched in turns without the hub's
// lock, from the request's place on:
//
//	begin (lock) ──► take (lock) ──► match ──► take ... ──► finish (lock)
//
// A gap is at its place behind the reply with its number, which alone says where a page ends. So a
// page never ends between a gap and the reply beyond it: forwards, gaps are kept until the next
// reply is in the page, and backwards until the reply before them is.
type logRequest struct {
	LogRequest
	hub      *Hub
	conn     Conn
	session  *Session
	answered func()

	begun  bool
	viewer *Viewer
	memo   *filter.Memo
	number int
	view   *filter.MemoView
	buffer replayBuffer

	keywordWork int // spent on reading keywords

	older olderSearch

	chunk int    // how much of the buffer's chunk was matched
	next  uint64 // index in the history of the next entry; backwards, the one after it
	ended bool   // the history, or what is kept of it

	gaps  []engine.Frame // since the last reply
	found []engine.Frame // in the order of the search
	count int            // of replies in it
	bytes int
	last  *uint64 // number of the last reply that was matched
	full  bool
}

// step does one turn's work.
func (t *logRequest) step() (done bool) {
	if !t.begun && !t.begin() {
		return true
	}
	for from := t.work(); !t.full && !t.ended; {
		if t.work()-from > turnWork {
			return false
		}
		if t.chunk == len(t.buffer.chunk) {
			t.take()
		}
		if t.older.wants {
			t.readOlder()
			return true // it is queued again
		}
		t.match()
	}
	return t.finish()
}

// work returns the cost so far, in units of [filter.Memo.Work].
func (t *logRequest) work() int { return t.memo.Work() + t.keywordWork }

// begin finds where the page begins. It reports false if the request was refused.
func (t *logRequest) begin() bool {
	h := t.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if t.Epoch != "" && t.Epoch != h.Epoch {
		h.sayTo(t.conn, t.session, protocol.BadRequest(t.ID, h.errOtherEpoch()))
		t.answered()
		return false
	}
	h.history.expire(h.now())
	*t = logRequest{
		LogRequest: t.LogRequest, hub: h, conn: t.conn, session: t.session, answered: t.answered,
		begun: true, viewer: t.session.viewer.Load(), memo: filter.NewMemo(replayTexts),
	}
	t.number = t.memo.Add()
	if v := t.viewer.view(); v != nil {
		t.view = t.memo.AddView(v)
	}
	switch {
	case t.After != nil:
		t.next, t.older.place = h.history.after(*t.After), *t.After
	case t.Before != nil:
		t.next, t.older.place = h.history.from(*t.Before), min(*t.Before, h.seq+1)
	default:
		t.next, t.older.place = h.history.head, h.seq+1
	}
	return true
}

// take copies the next entries of the history, in the order of the search.
func (t *logRequest) take() {
	h := t.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	t.buffer.chunk, t.chunk = t.buffer.chunk[:0], 0
	if t.takeOlder() {
		return
	}
	log := &h.history
	if t.After != nil {
		if t.forgotten() {
			t.goOn()
			return
		}
		t.older.inPart = false
		t.next = max(t.next, log.tail) // what is not kept any more is left out
	}
	for len(t.buffer.chunk) < chunkEntries {
		switch {
		case t.After == nil && t.next > log.tail:
			t.next--
			t.buffer.chunk = append(t.buffer.chunk, *log.at(t.next))
		case t.After != nil && t.next < log.head:
			t.buffer.chunk = append(t.buffer.chunk, *log.at(t.next))
			t.next++
		case len(t.buffer.chunk) > 0:
			return
		case t.After == nil && t.forgotten() && t.goOn():
			return
		default:
			t.ended = !t.full
			return
		}
	}
}

// match matches the rest of the chunk until the page is full.
func (t *logRequest) match() {
	for ; t.chunk < len(t.buffer.chunk) && !t.full; t.chunk++ {
		e := &t.buffer.chunk[t.chunk]
		t.reached(e)
		if e.isGap() {
			t.gaps = append(t.gaps, e.frame)
			continue
		}
		if !t.add(e) {
			t.full = true // it begins the next page
			return
		}
		t.full = t.count == t.Limit
	}
}

// add adds a reply, if the request selects it, and the gaps beside it. It reports false if the page
// has no room for it.
func (t *logRequest) add(e *entry) bool {
	selected := t.selects(e.reply)
	if selected && t.bytes > 0 && t.bytes+len(e.frame) > maxLogBytes {
		t.gaps = nil
		return false
	}
	t.addGaps()
	if selected {
		t.found = append(t.found, e.frame)
		t.count++
		t.bytes += len(e.frame)
	}
	t.last = &e.reply.Seq
	return true
}

func (t *logRequest) addGaps() {
	for _, frame := range t.gaps {
		t.found = append(t.found, frame)
		t.bytes += len(frame)
	}
	t.gaps = t.gaps[:0]
}

// selects reports whether the client asked for a reply and may hear it.
func (t *logRequest) selects(r *Reply) bool {
	const bytesRead = 64 // per unit of work
	if !r.read && (t.Filter.NeedsKeywords() || t.viewer.view().NeedsKeywords()) {
		r.withKeywords(&t.buffer.reply)
		t.keywordWork += len(r.body)/bytesRead + len(t.buffer.reply.Keywords)
		t.memo.Look(&t.buffer.reply)
	} else {
		t.memo.Look(&r.Reply)
	}
	if !t.memo.Match(t.Filter, t.number, r.owner != "" && r.owner == t.session.ID) {
		return false
	}
	return t.view.Match() || t.viewer.owns(r) && !t.view.Hides()
}

// finish answers.
func (t *logRequest) finish() (done bool) {
	h := t.hub
	h.mu.Lock()
	if !t.viewer.sameReplies(t.session.viewer.Load()) { // it changed meanwhile
		t.begun = false
		h.mu.Unlock()
		return false
	}
	oldest, more := h.history.oldest(), t.full && t.hasMore()
	h.mu.Unlock()
	if t.older.oldest != nil {
		oldest = t.older.oldest
	}
	t.addGaps()
	if t.After == nil {
		slices.Reverse(t.found)
	}
	frame := t.encode(oldest, more)
	h.mu.Lock()
	defer h.mu.Unlock()
	if !t.viewer.sameReplies(t.session.viewer.Load()) {
		t.begun = false
		return false
	}
	h.sayTo(t.conn, t.session, frame)
	t.answered()
	return true
}

// hasMore reports whether a page that is full is followed by another one. mu is held.
func (t *logRequest) hasMore() bool {
	log := &t.hub.history
	switch {
	case t.chunk < len(t.buffer.chunk) || t.older.part != nil && len(t.older.part.entries) > 0 || t.forgotten():
		return true
	case t.After != nil:
		return t.next < log.head
	}
	return t.next > log.tail
}

// encode writes the page. It is the only copy of the replies that is made.
func (t *logRequest) encode(oldest *uint64, more bool) engine.Frame {
	next := t.last
	if t.older.paused {
		next = &t.older.place
	}
	if next == nil {
		next = t.Before
	}
	if next == nil {
		next = t.After
	}
	buf := append(make([]byte, engine.MaxHeaderSize, engine.MaxHeaderSize+512+t.bytes+2*len(t.found)), `{"op": "log", "id": `...)
	buf = append(buf, protocol.JSON(t.ID)...)
	buf = append(append(append(buf, `, "epoch": "`...), t.hub.Epoch...), `", "oldest": `...)
	buf = append(append(buf, protocol.JSON(oldest)...), `, "more": `...)
	buf = append(strconv.AppendBool(buf, more), `, "next": `...)
	buf = append(append(buf, protocol.JSON(next)...), `, "entries": [`...)
	for i, frame := range t.found {
		if i > 0 {
			buf = append(buf, ", "...)
		}
		buf = append(buf, frame.Payload()...)
	}
	return engine.Must(engine.NewText(append(buf, "]}"...)))
}
