package socketshark_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

const (
	// transit is for how many seconds what was recorded was in transit, at most. What came later
	// came because of a timer.
	transit = 0.1
	// lead is how much time may pass at once while a timer's step is awaited: more than each wait
	// between two tries, and each period, of a case.
	lead = 600 * time.Millisecond
	// stuck is after how much real time a little time passes although no timer's step is awaited,
	// or more than that although one is: something may wait for it.
	stuck = 5 * time.Second
)

// nudge lets time pass while a step is awaited that comes when a timer is over. On a crowded machine
// the step may be long in coming, and no other timer must be over meanwhile.
func (p *player) nudge() func() {
	if strings.HasPrefix(p.Case, "published") {
		return nil
	}
	d := 50 * time.Millisecond
	if strings.Contains(p.Case, "times out") {
		d /= 5 // a request must arrive before its time is over
	}
	left := time.Duration(0)
	if p.passed {
		left = lead
	}
	last := time.Now()
	return func() {
		if left <= 0 && time.Since(last) < stuck {
			return
		}
		left, last = left-d, time.Now()
		p.clock.Pass(d)
	}
}

// await returns what comes from a channel. Meanwhile it nudges.
func await[T any](from <-chan T, nudge func()) (v T, err error) {
	timeout := time.After(testkit.Patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case v = <-from:
			return v, nil
		case <-tick.C:
			if nudge != nil {
				nudge()
			}
		case <-timeout:
			return v, fmt.Errorf("nothing comes")
		}
	}
}

// ends notes that a client's connection ends.
func (p *player) ends(c *client) {
	c.done = true
	p.ending++
}

// awaitEnds waits until the dialect knows of each connection that has ended. Otherwise what is
// only due later might still be done for it. SocketShark itself, which has no dialect, tells nobody.
func (p *player) awaitEnds(t *testing.T) {
	t.Helper()
	if p.dialect == nil {
		return
	}
	testkit.WaitUntil(t, "the dialect knows that the client has gone", func() bool { return int(p.ended.Load()) == p.ending })
}

// noticing is a dialect that counts the connections that have ended.
type noticing struct {
	dialect.Dialect
	ended *atomic.Int32
}

func (d noticing) Accept(r *dialect.Request) (dialect.Accepted, error) {
	a, err := d.Dialect.Accept(r)
	if a.Session != nil {
		a.Session = noticingSession{a.Session, d.ended}
	}
	return a, err
}

type noticingSession struct {
	dialect.Session
	ended *atomic.Int32
}

func (s noticingSession) Closed(code int, reason string) {
	s.Session.Closed(code, reason)
	s.ended.Add(1)
}
