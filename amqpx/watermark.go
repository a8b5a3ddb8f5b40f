package amqpx

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

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
