package problem

import (
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// Value is the last value of a keyword, and the reply that brought it.
type Value struct {
	filter.Reply
	// Known reports whether the reply has its keywords, and all of its headers.
	Known   bool
	Seq     uint64
	Heard   time.Time
	Keyword string
	Value   []byte // JSON; nil if it is too large to be kept
}

// Seed gives conditions that were set just now the values that keywords have already: a keyword that
// is said only when it changes may not be said for long.
func (t *Tracker) Seed(values func(yield func(Value) bool)) {
	defer t.lock()()
	t.advanceToNow()
	values(func(v Value) bool {
		for _, b := range t.bindingsOf(v.Sender)[v.Keyword] {
			if b.cond.values[b.ref] == nil {
				t.seed(&v, b)
			}
		}
		return true
	})
}

func (t *Tracker) seed(v *Value, b binding) {
	raw := tooLong
	if v.Value != nil {
		if raw = member(v.Value, b.path); raw == nil {
			return
		}
		if len(raw) > maxValue {
			raw = tooLong
		}
	}
	c := b.cond
	c.values[b.ref], c.senders[b.ref] = slices.Clone(raw), v.Sender
	if t.cfg.Views {
		c.heard[b.ref] = &heardReply{Reply: v.Reply, unknown: !v.Known}
	}
	t.evaluate(c, v.Heard, v.Seq)
}
