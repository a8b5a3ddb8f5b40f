package socketshark

import (
	"maps"
	"time"
)

const (
	maxOrderKeys    = 10_000 // of a subscription
	maxThrottleKeys = 1000
)

// minKept is how long the time of a throttled key's last message is kept at least.
const minKept = time.Minute

// flow is what a cohort has had: the highest order of each key, and when each throttled key was last
// sent. Its topic's lock guards it.
type flow struct {
	orders    map[string]float64
	throttles map[string]*throttle
}

// throttle is the state of a throttled key.
type throttle struct {
	last    time.Time
	pending *message    // is sent when it is due, by stop's timer
	due     time.Time   // by the throttle of the first that was pending
	stop    func() bool // nil if nothing is pending
	turn    int         // counts the timers
}

// advance notes a message's order. It reports whether it is higher than all before it.
func (f *flow) advance(d *Dialect, opt options) bool {
	if !opt.ordered {
		return true
	}
	last, known := f.orders[opt.orderKey]
	if known && opt.order <= last {
		return false
	}
	if !known {
		if len(f.orders) >= maxOrderKeys || d.marks.Load() >= maxMarks {
			f.forgetOne(d)
		}
		if d.marks.Load() >= maxMarks {
			return true
		}
		d.marks.Add(1)
	}
	if f.orders == nil {
		f.orders = map[string]float64{}
	}
	f.orders[opt.orderKey] = opt.order
	return true
}

// forgetOne forgets the order of a key, whichever it is.
func (f *flow) forgetOne(d *Dialect) {
	for key := range f.orders {
		delete(f.orders, key)
		d.marks.Add(-1)
		return
	}
}

// hold reports whether a message must wait for the end of its key's window. It is then pending, instead
// of one that was.
func (f *flow) hold(c *cohort, m *message, now time.Time) bool {
	if !m.throttled {
		return false
	}
	t, d := c.topic, c.topic.d
	t.longest = max(t.longest, m.throttle)
	w := f.throttles[m.throttleKey]
	switch {
	case w == nil:
		f.throttle(t, m, now)
		return false
	case w.stop != nil:
		m.hold(d)
		w.pending.release(d)
		w.pending = m
		return true
	case now.Sub(w.last) < m.throttle && d.waiting.Load() < maxWaiting:
		w.wait(c, m, w.last.Add(m.throttle), now)
		return true
	}
	w.last = now
	return false
}

// throttle begins the window of a message's key, unless there are too many.
func (f *flow) throttle(t *topic, m *message, now time.Time) {
	d := t.d
	if len(f.throttles) >= maxThrottleKeys || d.marks.Load() >= maxMarks {
		f.prune(t, now)
	}
	if len(f.throttles) >= maxThrottleKeys || d.marks.Load() >= maxMarks {
		return
	}
	d.marks.Add(1)
	if f.throttles == nil {
		f.throttles = map[string]*throttle{}
	}
	f.throttles[m.throttleKey] = &throttle{last: now}
}

// wait makes a message pending until it is due.
func (w *throttle) wait(c *cohort, m *message, due, now time.Time) {
	m.hold(c.topic.d)
	w.pending, w.due = m, due
	w.turn++
	turn := w.turn
	w.stop = c.topic.d.host.After(max(0, due.Sub(now)), func() {
		c.topic.mu.Lock()
		defer c.topic.mu.Unlock()
		if w.turn == turn && w.pending != nil {
			c.sendPending(w)
		}
	})
}

// take returns the pending message, which is pending no longer.
func (w *throttle) take(d *Dialect) *message {
	m := w.pending
	if m != nil {
		w.stop()
		m.release(d)
	}
	w.pending, w.stop = nil, nil
	return m
}

// end forgets everything.
func (f *flow) end(d *Dialect) {
	for _, w := range f.throttles {
		w.take(d)
	}
	d.marks.Add(-int64(len(f.orders) + len(f.throttles)))
	f.orders, f.throttles = nil, nil
}

// prune forgets the windows that are over, whatever the throttle of the next message is: that of the last
// does not count, as at SocketShark. None is taken to be longer than all before it, or a minute.
func (f *flow) prune(t *topic, now time.Time) {
	before := len(f.throttles)
	maps.DeleteFunc(f.throttles, func(_ string, w *throttle) bool {
		return w.stop == nil && now.Sub(w.last) >= max(t.longest, minKept)
	})
	t.d.marks.Add(int64(len(f.throttles) - before))
}

// copyTo gives a cohort the same state, whose own timers send what is pending.
func (f *flow) copyTo(c *cohort, now time.Time) {
	c.flow.orders = maps.Clone(f.orders)
	c.topic.d.marks.Add(int64(len(f.orders) + len(f.throttles)))
	for key, w := range f.throttles {
		if c.flow.throttles == nil {
			c.flow.throttles = map[string]*throttle{}
		}
		own := &throttle{last: w.last}
		c.flow.throttles[key] = own
		if w.pending != nil {
			own.wait(c, w.pending, w.due, now)
		}
	}
}

// equals reports whether two flows would do the same with every message.
func (f *flow) equals(t *topic, other *flow, now time.Time) bool {
	if len(f.orders) != len(other.orders) || !maps.Equal(f.orders, other.orders) {
		return false
	}
	f.prune(t, now)
	other.prune(t, now)
	return maps.EqualFunc(f.throttles, other.throttles, func(a, b *throttle) bool {
		return a.stop == nil && b.stop == nil && a.last.Equal(b.last)
	})
}
