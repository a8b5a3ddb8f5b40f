package amqpx

import (
	"sync/atomic"
	"time"
)

// Stats are a link's figures over all its connections.
type Stats struct {
	// Pending is how many publishes wait to be sent, InFlight how many were sent and are not
	// confirmed.
	Pending, InFlight int
	// Outcomes counts the publishes that have ended, by [Outcome]. Together with those pending
	// and in flight, they are all that [Link.Publish] accepted.
	Outcomes [Unknown + 1]uint64
	// Confirms is how long confirms took, including nacks and those that came after the deadline.
	Confirms Histogram
	// CertificateEnd is when the first certificate ends of those that the broker showed last; zero without TLS.
	CertificateEnd time.Time
}

// confirmBounds are the upper bounds of the histogram's buckets in seconds, for brokers from nearby to
// stalling.
var confirmBounds = [...]float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}

// Histogram counts durations in buckets.
type Histogram struct {
	// Bounds are the buckets' upper bounds in seconds, inclusive.
	Bounds []float64
	// Counts has one bucket for each bound, and a last one for durations above all bounds. The
	// counts are not cumulative.
	Counts []uint64
	// Sum is the sum of all durations in seconds.
	Sum float64
}

// figures are counted where events happen, without a lock.
type figures struct {
	outcomes [Unknown + 1]atomic.Uint64
	confirms [len(confirmBounds) + 1]atomic.Uint64
	nanos    atomic.Int64 // of all confirms together
}

// end counts the outcome of a publish and reports it to the sender.
func (f *figures) end(p *publish, outcome Outcome) {
	f.outcomes[outcome].Add(1)
	p.done(outcome)
}

// confirmed counts a confirm and its duration.
func (f *figures) confirmed(took time.Duration) {
	bucket := 0
	for bucket < len(confirmBounds) && took.Seconds() > confirmBounds[bucket] {
		bucket++
	}
	f.confirms[bucket].Add(1)
	f.nanos.Add(int64(took))
}

// Stats returns the current figures.
func (l *Link) Stats() Stats {
	s := l.outbox.stats()
	if end := l.certificateEnd.Load(); end != nil {
		s.CertificateEnd = *end
	}
	return s
}

func (o *outbox) stats() Stats {
	s := Stats{Confirms: Histogram{Bounds: append([]float64(nil), confirmBounds[:]...)}}
	o.mu.Lock()
	s.Pending = o.queue.messages
	for tag := o.oldest; tag < o.next; tag++ {
		if o.window[tag%uint64(len(o.window))] != nil {
			s.InFlight++
		}
	}
	o.mu.Unlock()
	for i := range o.figures.outcomes {
		s.Outcomes[i] = o.figures.outcomes[i].Load()
	}
	for i := range o.figures.confirms {
		s.Confirms.Counts = append(s.Confirms.Counts, o.figures.confirms[i].Load())
	}
	s.Confirms.Sum = time.Duration(o.figures.nanos.Load()).Seconds()
	return s
}
