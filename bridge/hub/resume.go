package hub

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// replay finds the replies that a client missed since its last one and did not get through
// another subscription. A long history is matched in turns without the hub's lock; the few
// replies since the last turn are matched with it.
//
//	startReplay (lock) ──► turn, turn ... ──► finish (lock) ──► selectMissed (lock)
type replay struct {
	hub     *Hub
	session *Session
	spec    Spec
	next    uint64 // index in the history of the next entry

	memo         *filter.Memo
	number       int     // the filter's number in the memo
	viewer       *Viewer // what the client may hear
	view         *filter.MemoView
	former       []formerViewer // what it was allowed to hear before
	formerViews  []*filter.MemoView
	knownFrom    uint64             // see [formerViewers]
	otherSubs    []subscription     // subscriptions that may have delivered a reply already
	otherNumbers []int              // their filters' numbers
	otherViews   []*filter.MemoView // what the client might hear when they replayed
	keywords     bool               // one of the filters needs keywords
	keywordWork  int                // work spent on reading them

	found []missedEntry
	marks orderMarks // of an ordered subscription, after the replay
}

// missedEntry is a missed reply, or the message of a gap. It is small because there may be
// very many.
type missedEntry struct {
	reply *Reply
	gap   *entry
}

// replayBuffer is the working memory of one turn.
type replayBuffer struct {
	chunk []entry
	reply filter.Reply
}

const (
	chunkEntries     = 32   // copied from the history at once
	maxLockedEntries = 16   // matched with the hub's lock held
	replayTexts      = 1024 // memoized by one replay
)

// startReplay starts a replay from the client's last reply, or returns why it cannot. mu is
// held.
func (h *Hub) startReplay(d SubscribeRequest, s *Session) (_ *replay, reason string) {
	h.history.expire(h.now())
	last := *d.Since
	if last.Epoch != h.Epoch {
		return nil, "the numbers have begun anew: this is epoch " + h.Epoch
	}
	if last.Seq > h.seq {
		return nil, "no reply has this number yet; the last is " + strconv.FormatUint(h.seq, 10)
	}
	if last.Seq < h.history.floor {
		return nil, h.forgottenReason()
	}
	p := &replay{hub: h, session: s, spec: d.Spec, next: h.history.after(last.Seq), memo: filter.NewMemo(replayTexts)}
	p.number, p.keywords = p.memo.Add(), d.Spec.Filter.NeedsKeywords()
	p.lookBack(s)
	for _, sub := range append([]subscription{s.initialSub}, s.subs...) {
		if sub.spec.Filter == nil || sub.spec.Throttle > 0 || sub.spec.Ordered {
			continue // it is not known what it delivered
		}
		if sub.duringPast {
			sub.from = h.pastEnd
		}
		p.otherSubs, p.otherNumbers = append(p.otherSubs, sub), append(p.otherNumbers, p.memo.Add())
		p.otherViews = append(p.otherViews, p.addView(sub.viewer))
		p.keywords = p.keywords || sub.spec.Filter.NeedsKeywords()
	}
	return p, ""
}

// lookBack notes what the client may hear now and was allowed to hear before. mu is held.
func (p *replay) lookBack(s *Session) {
	p.viewer = s.viewer.Load()
	if f := s.former; f != nil {
		p.former, p.knownFrom = slices.Clone(f.list), f.knownFrom
	}
	p.view = p.addView(p.viewer)
	for _, f := range p.former {
		p.formerViews = append(p.formerViews, p.addView(f.viewer))
	}
}

// addView adds a viewer's view to the memo.
func (p *replay) addView(v *Viewer) *filter.MemoView {
	if v.view() == nil {
		return nil
	}
	p.keywords = p.keywords || v.View.NeedsKeywords()
	return p.memo.AddView(v.View)
}

func (h *Hub) forgottenReason() string {
	return "the replies behind this number are not kept any more; those behind " + strconv.FormatUint(h.history.floor, 10) + " are"
}

// left returns how many entries are left. ok is false if some of them are no longer kept. mu
// is held.
func (p *replay) left() (n uint64, ok bool) {
	history := &p.hub.history
	return history.head - p.next, p.next >= history.tail
}

// work returns the replay's cost so far, in units of [filter.Memo.Work].
func (p *replay) work() int { return p.memo.Work() + p.keywordWork }

// turn does one turn's work. It reports whether nothing is left, or the replay cannot go on.
func (p *replay) turn() (done bool) {
	var buffer replayBuffer
	for begun := p.work(); p.work()-begun < turnWork; {
		p.hub.mu.Lock()
		n, ok := p.left()
		if n = min(n, chunkEntries); ok && n > 0 {
			p.take(n, &buffer)
		}
		p.hub.mu.Unlock()
		if !ok || n == 0 {
			return true
		}
		p.match(&buffer)
	}
	return false
}

// finish matches the n entries that came since the last turn. mu is held.
func (p *replay) finish(n uint64) {
	var buffer replayBuffer
	p.take(n, &buffer)
	p.match(&buffer)
}

// take copies the next n entries from the history. mu is held.
func (p *replay) take(n uint64, b *replayBuffer) {
	b.chunk = b.chunk[:0]
	for ; n > 0; n-- {
		b.chunk = append(b.chunk, *p.hub.history.at(p.next))
		p.next++
	}
}

// match finds the entries of a chunk that the client missed.
func (p *replay) match(b *replayBuffer) {
	for i := range b.chunk {
		e := &b.chunk[i]
		if e.isGap() {
			gap := *e // the chunk's memory is used again
			p.found = append(p.found, missedEntry{gap: &gap})
			continue
		}
		p.look(e.reply, &b.reply)
		if !p.selects(p.spec.Filter, p.number, e.reply) || !p.hears(p.viewer, p.view, e.reply) || p.spec.Ordered && p.marks.stale(e.reply) {
			continue
		}
		if p.spec.Ordered {
			p.marks.note(e.reply)
		}
		if !p.delivered(e.reply) {
			p.found = append(p.found, missedEntry{reply: e.reply})
		}
	}
}

// look makes a reply the memo's current one, with its keywords if they are needed. Those of
// the history's replies are often not read yet; they go into a copy, because the reply is
// shared.
func (p *replay) look(r *Reply, dup *filter.Reply) {
	if r.read || !p.keywords {
		p.memo.Look(&r.Reply)
		return
	}
	const bytesRead = 64 // per unit of work
	r.withKeywords(dup)
	p.keywordWork += len(r.body)/bytesRead + len(dup.Keywords)
	p.memo.Look(dup)
}

// selects reports whether a filter selects the memo's current reply.
func (p *replay) selects(f *filter.Filter, number int, r *Reply) bool {
	return p.memo.Match(f, number, r.owner != "" && r.owner == p.session.ID)
}

// hears reports whether a viewer, whose view is in the memo, hears the memo's current reply.
func (p *replay) hears(v *Viewer, view *filter.MemoView, r *Reply) bool {
	return view.Match() || v.owns(r) && !view.Hides()
}

// heard reports whether the client was allowed to hear a reply when it came.
func (p *replay) heard(r *Reply) bool {
	if r.Seq <= p.knownFrom {
		return false
	}
	for i, f := range p.former {
		if r.Seq <= f.upTo {
			return p.hears(f.viewer, p.formerViews[i], r)
		}
	}
	return p.hears(p.viewer, p.view, r)
}

// delivered reports whether the client got a reply through a subscription without throttle
// or order, its initial one included. For a client that skipped replies this is unknown. What it
// was not allowed to hear when it came, or when it was replayed, was not delivered, even if it may
// hear it now.
func (p *replay) delivered(r *Reply) bool {
	if p.session.Skipped.Load() {
		return false
	}
	for i, sub := range p.otherSubs {
		if r.Seq <= sub.from || sub.ended && r.Seq > sub.upTo || !p.selects(sub.spec.Filter, p.otherNumbers[i], r) {
			continue
		}
		if r.Seq > sub.replayed && p.heard(r) || r.Seq <= sub.replayed && p.hears(sub.viewer, p.otherViews[i], r) {
			return true
		}
	}
	return false
}

// selectMissed returns the frames that the client gets of those found. next is the group
// that it joins, or nil if that does not exist yet. mu is held.
func (p *replay) selectMissed(next *group) (frames []engine.Frame, replies []*Reply) {
	s := p.session
	pending := s.stillPending(next, p.spec.key(s))
	for _, f := range p.found {
		switch {
		case f.reply != nil:
			if !pending[f.reply] {
				frames, replies = append(frames, f.reply.Frame), append(replies, f.reply)
			}
		case s.group == nil || f.gap.gap <= max(s.gapsBefore, p.hub.pastGaps):
			frames = append(frames, f.gap.frame)
		}
	}
	return frames, replies
}

// stillPending returns the pending throttled replies that a client still gets when it resumes
// a subscription with this key: those of its group that are not pending in the next one, and
// those of the subscription itself. Those of another subscription may be replaced by a newer
// reply.
func (s *Session) stillPending(next *group, key string) map[*Reply]bool {
	pending := map[*Reply]bool{}
	holder := next
	if next == nil {
		holder = s.group
	} else {
		for _, r := range s.group.pendingBeside(next) {
			pending[r] = true
		}
	}
	for _, r := range holder.pendingWithKey(key) {
		pending[r] = true
	}
	return pending
}

// containsReply reports whether a list that is sorted by number contains a reply.
func containsReply(replies []*Reply, r *Reply) bool {
	_, found := slices.BinarySearchFunc(replies, r.Seq, func(o *Reply, seq uint64) int { return cmp.Compare(o.Seq, seq) })
	return found
}
