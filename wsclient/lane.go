package wsclient

import (
	"cmp"
	"math"
	"slices"
)

// Bounds of what a lane holds while several subscriptions resume: one and a half times what a bridge keeps by default.
const (
	maxHeld      = 15_000
	maxHeldBytes = 96 << 20
)

// maxGapKeys is how many notices of gaps a lane remembers: each comes once for every subscription that resumes.
const maxGapKeys = 20

// lane brings the replies of one subscription into order, without a hole and each once. A reply that several
// subscriptions select comes once for all of them, so every lane sees every reply.
//
// While several subscriptions resume, each brings what it missed, one after the other, with live replies between them.
// Lanes then hold everything until the bridge has sent all of it, and pass it on in the order of its numbers.
type lane struct {
	selects  func(*Reply) bool
	deliver  func(Event)
	throttle bool // replies are in order for each sender only

	live    bool  // the server serves the subscription on this connection
	holding bool  // replies are held back
	late    int64 // up to this number, replies are from before the connection

	epoch    string
	mark     int64            // the number up to which everything was passed on; -1 is none
	bySender map[string]int64 // with throttle: the number of the last reply of each sender

	held      []heldEvent
	heldBytes int
	left      Dropped // for which there was no room
	gapKeys   []string
}

// heldEvent is an event with its place: a gap has that of the reply before it.
type heldEvent struct {
	seq   int64
	event Event
	key   string // of a gap
}

func newLane(selects func(*Reply) bool, deliver func(Event)) *lane {
	return &lane{selects: selects, deliver: deliver, mark: -1, late: -1}
}

// start begins at a place, before which nothing is missing.
func (l *lane) start(p Position) {
	l.epoch, l.mark = p.Epoch, int64(p.Seq)
	l.bySender = nil
}

// cursor returns the place from which to resume; nil if there is none.
func (l *lane) cursor() *Position {
	if l.mark < 0 {
		return nil
	}
	return &Position{Epoch: l.epoch, Seq: uint64(l.mark)}
}

// lost ends a connection, which had brought everything up to a number, -1 if that is not known. It forgets what is held
// beyond: the next connection brings it again.
func (l *lane) lost(hello *Hello, upTo int64) {
	l.live = false
	if !l.holding {
		return
	}
	known := hello != nil && upTo >= 0 && !l.throttle
	l.held = slices.DeleteFunc(l.held, func(h heldEvent) bool {
		switch h.event.(type) {
		case marker:
			return false
		case *Reply, *Snapshot, Gap, place:
			if known && h.seq <= upTo {
				return false
			}
			l.gapKeys = slices.DeleteFunc(l.gapKeys, func(key string) bool { return key == h.key })
			return true
		default: // what the bridge has dropped may not come again
			return !known
		}
	})
	if !known {
		l.left = Dropped{}
	}
	l.flush()
	if known && (l.epoch != hello.Epoch || l.mark < upTo) {
		l.start(Position{Epoch: hello.Epoch, Seq: uint64(upTo)})
	}
}

// reach takes note that everything up to a place has come.
func (l *lane) reach(p Position) {
	if l.live && !l.holding && (l.mark < 0 || l.epoch == p.Epoch) {
		l.epoch, l.mark = p.Epoch, max(l.mark, int64(p.Seq))
	}
}

// reply takes a reply of the connection.
func (l *lane) reply(r *Reply) {
	if !l.live && !l.holding || !l.selects(r) {
		return
	}
	if !l.holding {
		l.pass(r)
		return
	}
	l.hold(int64(r.Seq), r, len(r.Envelope))
}

// snapshot takes the last values, which include everything up to their number.
func (l *lane) snapshot(s *Snapshot) {
	if l.holding {
		l.hold(int64(s.Seq), s, s.size)
		return
	}
	l.passSnapshot(s)
}

// gap takes a gap. One with a key may come several times.
func (l *lane) gap(g Gap, key string) {
	if key != "" {
		if slices.Contains(l.gapKeys, key) {
			return
		}
		l.gapKeys = append(l.gapKeys[max(0, len(l.gapKeys)-maxGapKeys+1):], key)
	}
	if l.holding {
		seq := int64(-1)
		if n := len(l.held); n > 0 && key != "" {
			seq = l.held[n-1].seq
		}
		l.held = append(l.held, heldEvent{seq, g, key})
		return
	}
	l.deliver(g)
}

// place is where a lane goes on once what it missed is gone: everything after it comes.
type place Position

func (place) event() {}

// restart goes on at a place, behind a gap. Without it the next connection, if nothing has come until then, would ask for
// what is missing once more, and tell the gap once more.
func (l *lane) restart(p Position) {
	if l.holding {
		l.hold(int64(p.Seq), place(p), 0)
		return
	}
	l.passPlace(p)
}

func (l *lane) passPlace(p Position) {
	if l.epoch != p.Epoch {
		l.start(p)
		return
	}
	l.mark = max(l.mark, int64(p.Seq))
}

// other takes an event without a place among the replies.
func (l *lane) other(e Event) {
	if l.holding {
		l.hold(math.MaxInt64, e, 0)
		return
	}
	l.deliver(e)
}

// hold keeps an event until flush. Replies for which there is no room are counted.
func (l *lane) hold(seq int64, e Event, size int) {
	if r, ok := e.(*Reply); ok && (len(l.held) >= maxHeld || l.heldBytes+size > maxHeldBytes) {
		if l.left.From.IsZero() {
			l.left.From = r.Heard
		}
		l.left.To = r.Heard
		l.left.Count++
		return
	}
	l.held = append(l.held, heldEvent{seq, e, ""})
	l.heldBytes += size
}

// flush passes on what is held, in order.
func (l *lane) flush() {
	if !l.holding {
		return
	}
	slices.SortStableFunc(l.held, func(a, b heldEvent) int { return cmp.Compare(a.seq, b.seq) })
	held, left := l.held, l.left
	l.holding, l.held, l.heldBytes, l.left = false, nil, 0, Dropped{}
	for _, h := range held {
		switch e := h.event.(type) {
		case *Reply:
			l.pass(e)
		case *Snapshot:
			l.passSnapshot(e)
		case place:
			l.passPlace(Position(e))
		default:
			l.deliver(e)
		}
	}
	if left.Count > 0 {
		l.deliver(left)
	}
}

// pass passes a reply on, unless it was.
func (l *lane) pass(r *Reply) {
	if r.Epoch == "" { // from CLU's own server, which does not number replies
		l.deliver(r)
		return
	}
	if r.Epoch != l.epoch {
		l.epoch, l.mark, l.bySender = r.Epoch, -1, nil
	}
	seq := int64(r.Seq)
	if l.throttle {
		if last, ok := l.bySender[r.Sender]; ok && seq <= last {
			return
		}
		if l.bySender == nil {
			l.bySender = map[string]int64{}
		}
		l.bySender[r.Sender] = seq
	} else if seq <= l.mark {
		return
	}
	l.mark = max(l.mark, seq)
	if seq <= l.late {
		late := *r
		late.Late = true
		r = &late
	}
	l.deliver(r)
}

func (l *lane) passSnapshot(s *Snapshot) {
	if s.Epoch != l.epoch {
		l.epoch, l.mark, l.bySender = s.Epoch, -1, nil
	}
	l.mark = max(l.mark, int64(s.Seq))
	l.deliver(s)
}
