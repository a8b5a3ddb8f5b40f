package bridge

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/object"
)

// replay finds what a client has missed behind the last reply that it had, and that
// it has not by another subscription. A long past is matched in turns, without the
// hub's lock; what has come by then, if it is little, with it.
type replay struct {
	hub     *hub
	session *session
	wish    wish
	next    uint64 // the place in the history of the next entry to look at

	memo     *filter.Memo
	number   int            // the wish's filter's in it
	others   []subscription // by which it may have had a reply
	theirs   []int          // their filters' numbers
	keywords bool           // one of the filters looks at them
	read     int            // work spent on reading them

	found  []found
	orders orders // which an ordered subscription has reached with that
}

// found is a reply of the past, or a notice. There may be very many.
type found struct {
	reply  *reply
	notice *entry
}

// scratch is what all replays use in turn. It belongs to the desk's goroutine.
type scratch struct {
	chunk []entry
	reply filter.Reply
}

// Bounds of what a turn takes from the history at once, and of what is matched with
// the hub's lock held.
const (
	chunkEntries = 32
	fewEntries   = 16
	replayTexts  = 1024 // that one remembers
)

// startReplay begins to find what was missed behind the client's last reply. Else it
// says why it cannot. mu is held.
func (h *hub) startReplay(d demand, s *session) (_ *replay, reason string) {
	h.past.expire(time.Now())
	last := *d.since
	if last.Epoch != h.epoch {
		return nil, "the numbers have begun anew: this is epoch " + h.epoch
	}
	if last.Seq > h.seq {
		return nil, "no reply has this number yet; the last is " + strconv.FormatUint(h.seq, 10)
	}
	if last.Seq < h.past.floor {
		return nil, h.forgotten()
	}
	p := &replay{hub: h, session: s, wish: d.wish, next: h.past.behind(last.Seq), memo: filter.NewMemo(replayTexts)}
	p.number, p.keywords = p.memo.Add(), d.wish.filter.NeedsKeywords()
	for _, sub := range append([]subscription{s.before}, s.subs...) {
		if sub.wish.filter == nil || sub.wish.throttle > 0 || sub.wish.ordered {
			continue // what such a one had is not known
		}
		if sub.early {
			sub.from = h.read
		}
		p.others, p.theirs = append(p.others, sub), append(p.theirs, p.memo.Add())
		p.keywords = p.keywords || sub.wish.filter.NeedsKeywords()
	}
	return p, ""
}

func (h *hub) forgotten() string {
	return "the replies behind this number are not kept any more; those behind " + strconv.FormatUint(h.past.floor, 10) + " are"
}

// left is how many entries are still to be looked at. It is false when some of them
// are not kept any more. mu is held.
func (p *replay) left() (n uint64, ok bool) {
	past := &p.hub.past
	return past.head - p.next, p.next >= past.tail
}

// work is what the replay has cost so far, in the sense of [filter.Memo.Work].
func (p *replay) work() int { return p.memo.Work() + p.read }

// turn goes on for a turn. It is true when it has come to the end, or cannot.
func (p *replay) turn() (done bool) {
	for begun := p.work(); p.work()-begun < turnWork; {
		p.hub.mu.Lock()
		n, ok := p.left()
		if n = min(n, chunkEntries); ok && n > 0 {
			p.take(n)
		}
		p.hub.mu.Unlock()
		if !ok || n == 0 {
			return true
		}
		p.match()
	}
	return false
}

// rest looks at what has come since the last turn. mu is held.
func (p *replay) rest(n uint64) {
	p.take(n)
	p.match()
}

// take copies entries out of the history. mu is held.
func (p *replay) take(n uint64) {
	chunk := p.hub.scratch.chunk[:0]
	for ; n > 0; n-- {
		chunk = append(chunk, *p.hub.past.at(p.next))
		p.next++
	}
	p.hub.scratch.chunk = chunk
}

// match finds the entries of the chunk that the client has missed.
func (p *replay) match() {
	for _, e := range p.hub.scratch.chunk {
		if e.notice() {
			p.found = append(p.found, found{notice: &e})
			continue
		}
		p.lookAt(e.reply)
		if !p.wants(p.wish.filter, p.number, e.reply) || p.wish.ordered && p.orders.stale(e.reply) {
			continue
		}
		if p.wish.ordered {
			p.orders.note(e.reply)
		}
		if !p.had(e.reply) {
			p.found = append(p.found, found{reply: e.reply})
		}
	}
	clear(p.hub.scratch.chunk)
}

// lookAt turns to a reply, whose keywords may not have been read: most replies are
// never asked for them.
func (p *replay) lookAt(r *reply) {
	if r.read || !p.keywords {
		p.memo.Look(&r.Reply)
		return
	}
	const bytesRead = 64 // for about the work of a look
	look := &p.hub.scratch.reply
	keywords := object.Keys(look.Keywords[:0], r.body)
	*look = r.Reply
	look.Keywords = keywords
	p.read += len(r.body)/bytesRead + len(keywords)
	p.memo.Look(look)
}

func (p *replay) wants(f *filter.Filter, number int, r *reply) bool {
	return p.memo.Match(f, number, r.owner != "" && r.owner == p.session.id)
}

// had reports whether the client was sent a reply by a subscription that holds
// nothing back, or before its first one. Of one that read too slowly nobody knows.
func (p *replay) had(r *reply) bool {
	if p.session.skipped.Load() {
		return false
	}
	for i, sub := range p.others {
		if r.seq > sub.from && (!sub.ended || r.seq <= sub.upTo) && p.wants(sub.wish.filter, p.theirs[i], r) {
			return true
		}
	}
	return false
}

// missed is what the client gets of what was found: next is the group that it comes
// into, if there is that already. mu is held.
func (p *replay) missed(next *group) (frames []engine.Frame, replies []*reply) {
	s := p.session
	coming := s.coming(next, p.wish.selectionKey(s))
	for _, f := range p.found {
		switch {
		case f.reply != nil:
			if !coming[f.reply] {
				frames, replies = append(frames, f.reply.frame), append(replies, f.reply)
			}
		case s.group == nil || f.notice.gap <= s.gaps:
			frames = append(frames, f.notice.frame)
		}
	}
	return frames, replies
}

// coming are the replies of the past that come to a client that resumes a
// subscription with this key: because its group holds them and the next one does not,
// or because that subscription itself holds them back. What another one holds back may
// give way to a newer reply.
func (s *session) coming(next *group, key string) map[*reply]bool {
	coming := map[*reply]bool{}
	holder := next
	if next == nil {
		holder = s.group
	} else {
		for _, r := range s.group.heldBeside(next) {
			coming[r] = true
		}
	}
	for r := range holder.heldByKey(key) {
		coming[r] = true
	}
	return coming
}

// inOrder reports whether a reply is among some that are in the order of their
// numbers.
func inOrder(replies []*reply, r *reply) bool {
	_, found := slices.BinarySearchFunc(replies, r.seq, func(o *reply, seq uint64) int { return cmp.Compare(o.seq, seq) })
	return found
}
