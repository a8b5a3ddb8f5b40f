package amqpx

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// transitTime is how long a message may be on its way from its sender through the
// broker to the link when nothing holds it up, on top of how long the broker took
// to answer when the link was made. The sender's time of a lost message may be that
// much before the last word that was heard. Measured on a machine with two busy
// cores, a thousand messages a second took up to 14 ms, and on one that was too busy
// for them 34 ms.
const transitTime = 50 * time.Millisecond

// lossBound knows until when nothing that was routed to a queue is missing. The
// broker sends what it has as long as the prefetch allows, so what was heard last,
// were it a heartbeat, tells that the queue was empty; unless the prefetch was used
// up since, for then the broker may hold older messages. Delivery tags count both.
type lossBound struct {
	prefetch uint64
	latency  time.Duration // inFlight and the broker's time to answer

	drained time.Time // when everything that had been received was last handed over
	acked   uint64    // the last tag that was acknowledged by then
	busy    bool      // something was received since

	// fed is a moment before something that was received last was routed.
	routedAfter time.Time

	// behind: the broker may hold messages that were routed since.
	saturated      bool
	saturatedSince time.Time
	// probe is a moment within behind. Once the broker knew of the acks before it
	// and left room in the prefetch, it held nothing any more.
	checkpoint      time.Time
	checkpointAcked uint64
}

// newLossBound begins a session that was bound at the time given. A queue that
// lived on may hold messages since the time given; zero is for one that is new.
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

// idle notes that everything received was handed over, up to the tag last. In doubt
// what was received may have waited for the process (stall.go): then it says nothing of when it came.
func (q *lossBound) idle(now time.Time, last, acked uint64, doubt bool) {
	q.acked, q.busy = acked, false
	if doubt {
		q.checkpoint = time.Time{}
		return
	}
	q.drained = now
	if !q.saturated {
		return
	}
	if q.checkpoint.IsZero() || last >= q.checkpointAcked+q.prefetch {
		q.checkpoint, q.checkpointAcked = now, acked
	} else if now.Sub(q.checkpoint) > q.latency {
		q.saturated = false
	}
}

// until is the time before which no message was sent that is missing, if the
// connection was last heard at the time given.
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

// A quorum queue delivers a message only once most of its nodes have it, which may take
// seconds on a busy cluster. Meanwhile its consumer waits, and the connection is heard: that
// does not show, as it does of another queue, that nothing sent until then is missing. So
// while a link consumes such a queue, it publishes a place marker to it once a second, with
// the time of its sending. When that is delivered, everything the queue took before it has
// been delivered, too.

// watermarkEvery is the time between two markers, and the most by which a gap begins early
// for their sake.
const watermarkEvery = time.Second

// watermark belongs to the consumer while a session serves.
type watermark struct {
	active  bool      // markers are sent in this session
	session string    // what the ids of its markers begin with
	began   time.Time // what the times in them count from
	reached time.Time // when the last marker that came was sent; zero before the first
}

// startWatermarks has a marker sent to each kept queue now, and once a second until done is
// closed. A broker that takes no markers is taken at its word.
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
				return // who closed the channel says why
			}
		}
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}

// id is the id of a marker that is sent at the time given.
func (w *watermark) id(now time.Time) string {
	return fmt.Sprintf("%s%d", w.session, int64(now.Sub(w.began)))
}

// take notes a marker that came, and reports whether this session sent it.
func (w *watermark) take(id string) bool {
	text, ours := strings.CutPrefix(id, w.session)
	n, err := strconv.ParseInt(text, 10, 64)
	if !ours || !w.active || err != nil {
		return false
	}
	w.reached = later(w.reached, w.began.Add(time.Duration(n)))
	return true
}

// until is the time before which no message was sent that is missing, if the connection was
// last heard at the time given.
func (cs *consumerState) until(heard time.Time) time.Time {
	t := cs.loss.until(heard)
	if w := cs.watermark; w.active && w.reached.Add(-cs.latency).Before(t) {
		return w.reached.Add(-cs.latency)
	}
	return t
}
