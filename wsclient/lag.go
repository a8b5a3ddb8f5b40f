package wsclient

import (
	"fmt"
	"sync"
	"time"
)

// Lag says that a subscription with [SubscribeOptions.MaxLag] is behind, or no longer.
type Lag struct {
	Behind bool
	By     time.Duration // how long ago the bridge heard the reply that told it
}

func (Lag) event() {}

const (
	// recovered is the part of the limit below which a program is current again.
	recovered = 3
	// lagKnownFor is how long the lag of the last reply says something about now.
	lagKnownFor = 2 * time.Second
)

// lagWatch leaves out the replies of a subscription that are too old when the program takes them, whatever made them old:
// the program, the network or the bridge.
//
//	current ── a reply is older than the limit ──► behind ── one is younger than a third of it, or a pong ──► current
//	                  (Lag, ping)                (left out)                     (Dropped, Lag, Snapshot)
type lagWatch struct {
	limit    time.Duration // 0 is none
	lossless bool          // nothing is left out

	mu      sync.Mutex // guards the following fields
	behind  bool
	left    Dropped   // what was left out
	next    []Event   // what comes before the queue
	asked   time.Time // when a pong was last asked for
	heard   time.Time // of the last reply, by the bridge's clock
	takenAt time.Time // when the program took it
}

// marker comes after everything that the connection had brought when the bridge answered a ping.
type marker struct{ asked time.Time }

func (marker) event() {}

func newLagWatch(o *SubscribeOptions) (*lagWatch, error) {
	if o.MaxLag < 0 {
		return nil, fmt.Errorf("MaxLag is %v; give it a time above 0, or 0 for every reply however late", o.MaxLag)
	}
	w := &lagWatch{limit: o.MaxLag, lossless: o.Lossless}
	if w.limit > 0 { // the bridge may hold a reply back for so long, as was asked
		w.limit += o.Throttle + o.Batch
	}
	return w, nil
}

// Lag returns how old the last reply was when the program took it, or how old the one is now that it is to take next. It is
// 0 if no reply came lately, and for replies of which it is not known when the bridge heard them.
func (s *Subscription) Lag() time.Duration {
	if heard, ok := s.queue.firstHeard(); ok {
		return s.client.Age(heard)
	}
	s.lag.mu.Lock()
	heard, since := s.lag.heard, time.Since(s.lag.takenAt)
	s.lag.mu.Unlock()
	if since > lagKnownFor {
		return 0
	}
	return max(0, s.client.Age(heard)-since)
}

// pending returns what comes before the queue; nil if nothing does.
func (w *lagWatch) pending() Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first()
}

// flush returns what was left out, if anything was.
func (w *lagWatch) flush() Event {
	if w.left.Count == 0 {
		return nil
	}
	left := w.left
	w.left = Dropped{}
	return left
}

// atEnd is flush without the lock held.
func (w *lagWatch) atEnd() Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

// admit takes an event of the queue, and returns what the program gets now; nil is nothing.
func (s *Subscription) admit(e Event) Event {
	w := s.lag
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := e.(type) {
	case *Reply:
		if !e.Late {
			w.heard, w.takenAt = e.Heard, time.Now()
		}
		if w.limit == 0 {
			return e
		}
		return s.admitReply(e)
	case marker:
		switch age := time.Since(e.asked); {
		case !w.behind:
		case age > w.limit:
			s.askForMarker()
		default:
			return s.recover(age)
		}
		return nil
	}
	if left := w.flush(); left != nil { // it was before
		w.next = append(w.next, e)
		return left
	}
	return e
}

// admitReply decides about a reply, with the watch's lock held.
func (s *Subscription) admitReply(r *Reply) Event {
	w := s.lag
	age := s.client.Age(r.Heard)
	current := r.Late || age <= w.limit/recovered
	switch {
	case w.behind && current: // what was missed without a connection comes in any case
		first := s.recover(age)
		w.next = append(w.next, r)
		return first
	case !w.behind && (r.Late || age <= w.limit):
		return r
	case !w.behind:
		w.behind = true
		s.askForMarker()
		w.leaveOut(r)
		return Lag{Behind: true, By: age}
	case time.Since(w.asked) > w.limit: // the queue may have dropped the marker
		s.askForMarker()
	}
	w.leaveOut(r)
	return w.first()
}

func (w *lagWatch) leaveOut(r *Reply) {
	if w.lossless {
		w.next = append(w.next, r)
		return
	}
	if w.left.Count == 0 {
		w.left.From = r.Heard
	}
	w.left.To = r.Heard
	w.left.Count++
}

// first is pending with the lock held.
func (w *lagWatch) first() Event {
	if len(w.next) == 0 {
		return nil
	}
	e := w.next[0]
	w.next = w.next[1:]
	return e
}

// recover ends being behind, with the watch's lock held: what was left out is told, and the last values are asked for.
func (s *Subscription) recover(age time.Duration) Event {
	w := s.lag
	w.behind = false
	if left := w.flush(); left != nil {
		w.next = append(w.next, Lag{By: age})
		s.client.askForSnapshot(s)
		return left
	}
	return Lag{By: age}
}

// askForMarker asks for a sign that everything has come, with the watch's lock held.
func (s *Subscription) askForMarker() {
	c, asked := s.client, time.Now()
	s.lag.asked = asked
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.session
	if at == nil || !at.greeted || !at.v1 { // what comes from the next connection is from before it
		s.queue.put(marker{asked})
		return
	}
	at.ask(c.newID("lag"), map[string]any{"op": "ping"}, func(*message, error) bool {
		s.lane.other(marker{asked})
		return false
	})
}

// askForSnapshot asks for the last values of what a subscription selects. Without a connection, the next one brings them.
func (c *Client) askForSnapshot(sub *Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sub.stale = true
	if !c.has("snapshot") {
		return
	}
	c.session.ask(c.newID("snapshot"), map[string]any{"op": "snapshot", "filter": sub.raw}, func(m *message, err error) bool {
		if m == nil || err != nil {
			return false
		}
		if snapshot, err := parseSnapshot(m.raw, hearsActors(c.hello.Broker)); err == nil {
			sub.lane.snapshot(snapshot)
		}
		return false
	})
}
