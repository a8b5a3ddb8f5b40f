package amqpx

import "time"

// inFlight is how long a message may be on its way from its sender through the
// broker to the link when nothing holds it up, on top of how long the broker took
// to answer when the link was made. The sender's time of a lost message may be that
// much before the last word that was heard. Measured on a machine with two busy
// cores, a thousand messages a second took up to 14 ms, and on one that was too busy
// for them 34 ms.
const inFlight = 50 * time.Millisecond

// quiet knows until when nothing that was routed to a queue is missing. The
// broker sends what it has as long as the prefetch allows, so what was heard last,
// were it a heartbeat, tells that the queue was empty; unless the prefetch was used
// up since, for then the broker may hold older messages. Delivery tags count both.
type quiet struct {
	prefetch uint64
	late     time.Duration // inFlight and the broker's time to answer

	waited time.Time // when everything that had been received was last handed over
	acked  uint64    // the last tag that was acknowledged by then
	busy   bool      // something was received since

	// fed is a moment before something that was received last was routed.
	fed time.Time

	// behind: the broker may hold messages that were routed since.
	behind bool
	since  time.Time
	// probe is a moment within behind. Once the broker knew of the acks before it
	// and left room in the prefetch, it held nothing any more.
	probe      time.Time
	probeAcked uint64
}

// startQuiet begins a session that was bound at the time given. A queue that
// lived on may hold messages since the time given; zero is for one that is new.
func startQuiet(prefetch int, late time.Duration, bound, since time.Time) quiet {
	q := quiet{prefetch: uint64(prefetch), late: late, waited: bound, busy: true}
	if !since.IsZero() {
		q.behind, q.since = true, since
	}
	return q
}

// received notes a delivery.
func (q *quiet) received(tag uint64) {
	q.busy = true
	if !q.behind && tag >= q.acked+q.prefetch {
		q.behind, q.since, q.probe = true, q.waited, time.Time{}
	}
	if !q.behind {
		q.fed = q.waited
	}
}

// waiting notes that everything received was handed over, up to the tag last. In doubt
// what was received may have waited for the process (stall.go): then it says nothing of when it came.
func (q *quiet) waiting(now time.Time, last, acked uint64, doubt bool) {
	q.acked, q.busy = acked, false
	if doubt {
		q.probe = time.Time{}
		return
	}
	q.waited = now
	if !q.behind {
		return
	}
	if q.probe.IsZero() || last >= q.probeAcked+q.prefetch {
		q.probe, q.probeAcked = now, acked
	} else if now.Sub(q.probe) > q.late {
		q.behind = false
	}
}

// until is the time before which no message was sent that is missing, if the
// connection was last heard at the time given.
func (q *quiet) until(heard time.Time) time.Time {
	t := heard
	if q.busy && q.waited.Before(t) {
		t = q.waited
	}
	if q.behind && q.since.Before(t) {
		t = q.since
	}
	return t.Add(-q.late)
}
