package amqpx

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// transitTime is how long a message may take from its sender through the broker to the link when
// nothing holds it up, in addition to the broker's response time when the link was made. The
// timestamp of a lost message may be that much earlier than the moment when the broker was last
// heard. On a machine with two busy cores, a thousand messages a second took up to 14 ms, and on an
// overloaded one 34 ms.
const transitTime = 50 * time.Millisecond

// lossBound tracks a time until which no message routed to a queue is missing. The broker sends
// what it has as long as the prefetch allows. So anything heard from it, even a heartbeat, shows
// that the queue was empty at that time, unless the prefetch was used up: then the broker may hold
// older messages. Delivery tags show how much of it is used.
type lossBound struct {
	prefetch uint64
	latency  time.Duration // transitTime and the broker's time to answer

	drained time.Time // when everything received had last been handed over
	acked   uint64    // the last tag that was acknowledged by then
	busy    bool      // something was received since

	// routedAfter is a moment before the last message received was routed, unless the network held it
	// up.
	routedAfter time.Time

	// saturated: the broker may hold messages that were routed since saturatedSince.
	saturated      bool
	saturatedSince time.Time
	// checkpoint is a moment since then. Once the broker has known the acknowledgements before it
	// and has left room in the prefetch, it holds nothing any more. A network that stalls holds up
	// acknowledgements: the broker knows them for certain when it answers a request made later.
	checkpoint      time.Time
	checkpointAcked uint64
}

// newLossBound begins a session whose queue was bound at the given time. A queue that existed
// before may hold messages since another given time, which is zero for a new queue.
func newLossBound(prefetch int, late time.Duration, bound, since time.Time) lossBound {
	q := lossBound{prefetch: uint64(prefetch), latency: late, drained: bound, busy: true}
	if !since.IsZero() {
		q.saturated, q.saturatedSince = true, since
	}
	return q
}

// received notes a delivery.
func (q *lossBound) received(tag uint64) {
	q.busy = true
	if !q.saturated && tag >= q.acked+q.prefetch {
		q.saturated, q.saturatedSince, q.checkpoint = true, q.drained, time.Time{}
	}
	if !q.saturated {
		q.routedAfter = q.drained
	}
}

// idle notes that everything received, up to the tag last, was handed over. answered is when the last
// request was made that the broker has answered. If the process was paused (pause.go), what was
// received may have waited for it, and does not show when it arrived.
func (q *lossBound) idle(now time.Time, last, acked uint64, answered time.Time, paused bool) {
	q.acked, q.busy = acked, false
	if paused {
		q.checkpoint = time.Time{}
		return
	}
	q.drained = now
	if !q.saturated {
		return
	}
	if q.checkpoint.IsZero() || last >= q.checkpointAcked+q.prefetch {
		q.checkpoint, q.checkpointAcked = now, acked
	} else if answered.Sub(q.checkpoint) > q.latency {
		q.saturated = false
	}
}

// until returns a time before which no missing message was sent, given when the connection
// was last heard.
func (q *lossBound) until(heard time.Time) time.Time {
	t := heard
	if q.busy && q.drained.Before(t) {
		t = q.drained
	}
	if q.saturated && q.saturatedSince.Before(t) {
		t = q.saturatedSince
	}
	return t.Add(-q.latency)
}

// A quorum queue delivers a message only once most of its nodes have it, which may take seconds on
// a busy cluster. Meanwhile its consumer waits although the connection is heard, so, unlike with
// another queue, that does not show that nothing sent until then is missing. So while a link
// consumes such a queue, it publishes a watermark to it once a second: a marker with the time of
// its sending. When the watermark is delivered, everything that the queue accepted before it has
// been delivered, too.

// watermarkEvery is the time between two watermarks, and the most by which they make a gap begin
// too early.
const watermarkEvery = time.Second

// watermark is what the watermarks of a session have shown.
type watermark struct {
	active  bool      // watermarks are sent in this session
	session string    // the prefix of their ids
	began   time.Time // the origin of the times in them
	reached time.Time // when the last one that came back was sent; zero before the first
}

// startWatermarks sends a watermark to each kept queue now, and once a second until done is
// closed. If the broker accepts no markers, the queue is treated like any other.
func (s *session) startWatermarks(done <-chan struct{}) {
	for _, cs := range s.link.consumerStates {
		cs.watermark = watermark{session: suffix() + " ", began: s.began}
		if cs.queue.Expires == 0 || cs.classic || s.markers == nil || s.markers.IsClosed() {
			continue
		}
		cs.watermark.active = true
		w, queue := cs.watermark, cs.queueName()
		s.tasks.Go(func() { s.sendWatermarks(w, queue, done) })
	}
}

func (s *session) sendWatermarks(w watermark, queue string, done <-chan struct{}) {
	tick := time.NewTicker(watermarkEvery)
	defer tick.Stop()
	for {
		// A broker that blocks publishers would block this one, too.
		if s.link.State().Blocked == "" {
			const mandatory, immediate = false, false
			_, err := s.markers.PublishWithDeferredConfirm("", queue, mandatory, immediate, amqp.Publishing{
				Type:      placeType,
				MessageId: w.id(time.Now()),
			})
			if err != nil {
				return // the watcher of the channel reports why
			}
		}
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}

// id returns the id of a watermark that is sent at the time given.
func (w *watermark) id(now time.Time) string {
	return fmt.Sprintf("%s%d", w.session, int64(now.Sub(w.began)))
}

// take notes a watermark that came, and reports whether this session sent it.
func (w *watermark) take(id string) bool {
	text, ours := strings.CutPrefix(id, w.session)
	n, err := strconv.ParseInt(text, 10, 64)
	if !ours || !w.active || err != nil {
		return false
	}
	w.reached = later(w.reached, w.began.Add(time.Duration(n)))
	return true
}

// until returns a time before which no missing message was sent, given when the connection
// was last heard.
func (cs *consumerState) until(heard time.Time) time.Time {
	t := cs.loss.until(heard)
	if w := cs.watermark; w.active && w.reached.Add(-cs.latency).Before(t) {
		return w.reached.Add(-cs.latency)
	}
	return t
}
