package problem

import (
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// A bridge on a stream first reads the last replies, and serves clients. What came before these is
// read afterwards, into a tracker of its own, which is then brought up to date and takes the place of
// the first:
//
//	further back ──────────► last replies ──► live
//	     Before().Note ......................│        reads to the number upTo
//	                      Note, and recorded ┴──► Adopt: what was recorded after upTo is noted, too

// recording keeps what a tracker noted from its beginning, as far as it matters to problems.
type recording struct {
	all   []recorded
	bytes int
	full  bool
}

// recorded is a reply, or an acknowledgement.
type recorded struct {
	Reply
	names, values [][]byte
	ack           *Ack
}

// maxRecorded bounds the memory of a recording, in bytes. Beyond it, nothing is adopted.
const (
	maxRecorded  = 32 << 20
	recordedCost = 300
)

// record records a reply that matters to problems. mu is held.
func (t *Tracker) record(r *Reply) {
	if t.recording == nil || t.recording.full || levelOf(r.Reply) == site.None && t.bindingsOf(r.Sender) == nil {
		return
	}
	n := recorded{Reply: Reply{Seq: r.Seq, Heard: r.Heard, Body: slices.Clone(r.Body), Reply: &filter.Reply{
		Sender: strings.Clone(r.Sender), RoutingKey: strings.Clone(r.RoutingKey), Code: strings.Clone(r.Code),
		CommandID: strings.Clone(r.CommandID), Commander: strings.Clone(r.Commander), Internal: r.Internal,
	}}}
	bytes := len(r.Body)
	r.Keywords(func(name, value []byte) bool {
		n.names, n.values = append(n.names, slices.Clone(name)), append(n.values, slices.Clone(value))
		bytes += len(name) + len(value) + 48
		return true
	})
	t.recording.add(n, bytes)
}

func (c *recording) add(n recorded, bytes int) {
	if c.bytes += bytes + recordedCost; c.bytes > maxRecorded {
		c.full, c.all = true, nil
		return
	}
	c.all = append(c.all, n)
}

// to notes what was recorded in another tracker.
func (n *recorded) to(t *Tracker) {
	if n.ack != nil {
		t.Acked(*n.ack, n.Heard, n.Seq)
		return
	}
	n.Keywords = func(yield func(name, value []byte) bool) {
		for i := range n.names {
			if !yield(n.names[i], n.values[i]) {
				return
			}
		}
	}
	t.Note(&n.Reply)
}

// Before returns a tracker for replies that come from further back in the stream.
func (t *Tracker) Before() *Tracker {
	cfg := t.cfg
	cfg.Past, cfg.Record, cfg.Changed = true, false, nil
	old := New(cfg)
	old.SetConditions(t.definitions())
	return old
}

func (t *Tracker) definitions() (all []*site.Condition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.conditions {
		all = append(all, c.Condition)
	}
	return all
}

// Adopt takes over what a tracker knows that has noted the replies from further back up to a number,
// and is not used afterwards. It reports false, and changes nothing, if too much came meanwhile.
func (t *Tracker) Adopt(old *Tracker, upTo uint64) bool {
	old.SetConditions(t.definitions()) // they may have changed
	done := 0
	for range 2 { // first most of it without the lock
		t.mu.Lock()
		if t.recording == nil || t.recording.full {
			t.mu.Unlock()
			return false
		}
		left := t.recording.all[done:]
		t.mu.Unlock()
		done += len(left)
		replay(left, old, upTo)
	}
	defer t.lock()()
	if t.recording.full {
		return false
	}
	replay(t.recording.all[done:], old, upTo)
	t.recording = nil
	t.swap(old)
	return true
}

func replay(all []recorded, to *Tracker, after uint64) {
	for i := range all {
		if all[i].Seq > after {
			all[i].to(to)
		}
	}
}

// swap makes what another tracker knows of problems what this one knows. What is known of silence
// stays. mu is held.
func (t *Tracker) swap(old *Tracker) {
	for name, a := range t.actors {
		o := old.actor(name, a.worst())
		if o == nil {
			continue
		}
		o.silence, o.told, o.due = a.silence, a.told, a.due
		if e := o.silence.raised; e != nil {
			o.problems[silentKey] = e
			if e.Acked == nil {
				old.takeEarlyAck(o, e)
			}
		}
	}
	t.actors, t.conditions, t.bindings, t.omitted = old.actors, old.conditions, old.bindings, max(t.omitted, old.omitted)
	t.waits = true
	clear(t.pending)
	for _, a := range t.actors {
		a.quietUntil = time.Time{}
		t.changed(a, false)
	}
	t.sweep()
}

// StopRecording is called if nothing will be adopted.
func (t *Tracker) StopRecording() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recording = nil
}
