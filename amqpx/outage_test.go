package amqpx_test

import (
	"slices"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// three is a link with a queue of each kind, all with the same binding.
type three struct {
	*watched
	log                     lines
	exclusive, kept, stream recorder
}

// keptLong is longer than a busy machine takes for anything while a link is down.
const keptLong = 10 * time.Minute

// runThree runs a link. A heartbeat other than 0, which is the usual one, ends the link when its broker is silent for one
// and a half of it, on a busy machine too.
func runThree(t *testing.T, url string, heartbeat time.Duration) *three {
	t.Helper()
	r := &three{}
	r.watched = run(t, amqpx.Config{URLs: []string{url}, Heartbeat: heartbeat, Logger: r.log.logger(), Queues: []amqpx.Queue{
		r.exclusive.of(amqpx.Queue{Name: "link_exclusive"}),
		r.kept.of(keptFor(keptLong)),
		r.stream.of(amqpx.Queue{Name: "link_stream", Stream: &amqpx.Stream{Name: "history", MaxBytes: 1 << 24}}),
	}})
	r.await(t, true)
	return r
}

func (r *three) awaitAll(t *testing.T, number int) {
	t.Helper()
	for _, h := range []*recorder{&r.exclusive, &r.kept, &r.stream} {
		h.await(t, number)
	}
}

// aWhile is how many messages are sent before and after each disturbance.
const aWhile = 300

func TestALinkThatBreaksUnderTraffic(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	r := runThree(t, n.URL(), 2*time.Second)
	s := startSender(t, n.URL())
	disturbances := []func(){
		func() { n.CloseConnections(t) },
		func() { n.Pause(t); r.await(t, false); n.Resume(t) },
		func() { n.CloseConnections(t) },
	}
	for _, disturb := range disturbances {
		r.awaitAll(t, s.more(t, aWhile))
		disturb()
		r.await(t, true)
	}
	r.awaitAll(t, s.more(t, aWhile))
	s.end()

	t.Run("leaves no gap in a queue that outlives it", func(t *testing.T) {
		lost, gaps := r.kept.missing(t, s), r.kept.gaps()
		if r.log.tellLateHandover() {
			s.within(t, lost, gaps)
		} else if len(lost) > 0 || len(gaps) > 0 {
			t.Errorf("%v are missing, the gaps are %v", lost, gaps)
		}
	})
	t.Run("leaves no gap in a stream", func(t *testing.T) {
		if lost, gaps := r.stream.missing(t, s), r.stream.gaps(); len(lost) > 0 || len(gaps) > 0 {
			t.Errorf("%v are missing, the gaps are %v", lost, gaps)
		}
	})
	t.Run("leaves gaps in an exclusive queue that are reported exactly", func(t *testing.T) {
		lost, gaps := r.exclusive.missing(t, s), r.exclusive.gaps()
		if len(gaps) < len(disturbances) { // on a busy machine a link may break once more
			t.Fatalf("%d gaps are reported, not %d", len(gaps), len(disturbances))
		}
		s.within(t, lost, gaps)
		r.exclusive.fits(t, s)
	})
}

// slack is how far a gap may extend beyond the messages around it, in addition to the longest time that the broker took to
// confirm a message.
const slack = 8 * time.Second

// fits checks that each gap starts soon after the sending of the last message of before it that was received, and ends
// before, or soon after, the sending of the first one received after it. On a busy machine the first messages that a stream
// has after a gap may be before its markers.
func (h *recorder) fits(t *testing.T, s *sender) {
	t.Helper()
	slack := slack + s.slowest()
	var to time.Time
	var before []time.Time
	for _, e := range h.all() {
		switch {
		case e.gap != nil:
			to = e.gap.To
			for len(before) > 0 && before[len(before)-1].After(to) {
				before = before[:len(before)-1]
			}
			if len(before) == 0 {
				continue
			}
			// A gap of a kept queue starts at a watermark, of which there is one a second.
			if early := before[len(before)-1].Sub(e.gap.From); early > slack+time.Second {
				t.Errorf("a gap begins %v before the last message that was heard", early)
			}
		case e.number >= 0:
			at := s.sent[e.number].at
			before = append(before, at)
			if late := to.Sub(at); late > slack {
				t.Errorf("a gap ends %v after the first message that was heard", late)
			}
		}
	}
}

func TestABrokerThatIsRestartedUnderTraffic(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	gapsOfARestart := 1
	if n.Khepri(t) {
		gapsOfARestart = 0 // the bindings outlive it
	}
	r := runThree(t, n.URL(), 0)
	var beside recorder
	other := run(t, amqpx.Config{URLs: []string{n.URL()}, Queues: []amqpx.Queue{
		beside.of(amqpx.Queue{Name: "other", Stream: &amqpx.Stream{Name: "history", MaxBytes: 1 << 24}}),
	}})
	other.await(t, true)
	s := startSender(t, n.URL())
	r.awaitAll(t, s.more(t, aWhile))
	n.Restart(t)
	r.await(t, true)
	other.await(t, true)
	last := s.more(t, aWhile)
	r.awaitAll(t, last)
	beside.await(t, last)
	s.end()

	for name, h := range map[string]*recorder{"queue that outlives the link": &r.kept, "stream": &r.stream, "stream, read by another": &beside} {
		t.Run("leaves a gap that is reported, or none, in a "+name, func(t *testing.T) {
			lost, gaps := h.missing(t, s), h.gaps()
			if h != &r.kept {
				gaps = joined(gaps)
			}
			t.Logf("%d lost, gap %v", len(lost), gaps)
			if len(gaps) != gapsOfARestart {
				t.Fatalf("the gaps are %v", gaps)
			}
			s.within(t, lost, gaps)
			h.fits(t, s)
		})
	}
	t.Run("gives a later link the same stream with its gap", func(t *testing.T) {
		var later recorder
		count := s.count()
		late := run(t, amqpx.Config{URLs: []string{n.URL()}, Queues: []amqpx.Queue{
			later.of(amqpx.Queue{Name: "late", Stream: &amqpx.Stream{Name: "history", MaxBytes: 1 << 24, Backlog: 1 << 40}}),
		}})
		late.await(t, true)
		s := startSenderWith(t, n.URL(), 0, count)
		last := s.more(t, 10)
		later.await(t, last)
		r.stream.await(t, last)
		s.end()
		equalStreams(t, later.all(), r.stream.all(), last)
		if gaps := joined(later.gaps()); len(gaps) != gapsOfARestart {
			t.Errorf("the gaps are %v", gaps)
		}
	})
}

// equalStreams checks that both received the same messages at the same offsets, up to the last, and
// that the first caught up once, before the messages sent after its first connection.
func equalStreams(t *testing.T, later, earlier []event, last int) {
	t.Helper()
	numbers := func(events []event) (all []event) {
		for _, e := range events {
			if e.number >= 0 && e.number <= last {
				all = append(all, e)
			}
		}
		return all
	}
	a, b := numbers(later), numbers(earlier)
	if !slices.Equal(a, b) {
		t.Errorf("%d messages were heard later, %d before, or at other offsets", len(a), len(b))
	}
}
