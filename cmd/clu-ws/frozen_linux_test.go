package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// span is a gap as a client is told of it.
type span struct{ From, To time.Time }

func (e *recordingClient) gaps(t *testing.T) (all []span) {
	t.Helper()
	for _, m := range e.messagesWith(`"op":"gap"`) {
		var s span
		if err := json.Unmarshal([]byte(m), &s); err != nil {
			t.Fatalf("%v: %s", err, m)
		}
		all = append(all, s)
	}
	return all
}

// A bridge stands still while its broker is restarted. What lay in its buffers when it
// wakes is older than the gap, however late it is read.
func TestABridgeThatStoodStillWhileItsBrokerWasRestartedTellsAllThatIsMissing(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	kinds := []string{"no", "expires=60s", "stream"}
	var bridges []child
	var ears []*recordingClient
	for _, durable := range kinds {
		p := spawnAt(t, n.URL(), "--port", "0", "--name", "bridge-"+durable[:2], "--durable", durable)
		p.await(t, "linked to amqp://")
		e, _ := receiveUntil(t, durable, v1(), "ws://"+p.announcedAddress(t, "ws://"))
		bridges, ears = append(bridges, p), append(ears, e)
	}
	s := testkit.StartSource(t, n.URL(), 500)
	awaitNext(t, s, ears...)
	for _, p := range bridges {
		p.freeze(t)
	}
	awaitConfirmed(t, s, 1000) // they are in the buffers, and in the queues
	n.Restart(t)
	awaitConfirmed(t, s, 1000)
	for _, p := range bridges {
		p.signal(t, syscall.SIGCONT)
	}
	awaitNext(t, s, ears...)
	s.Stop()
	for i, e := range ears {
		if e.missingOutsideGaps(t, s); n.Khepri(t) && kinds[i] != "no" && len(e.gaps(t)) > 0 {
			t.Errorf("%s: nothing was lost, and it was told of %v", e.name, e.gaps(t))
		}
	}
}

// awaitConfirmed waits until the broker has answered for so many more replies.
func awaitConfirmed(t *testing.T, s *testkit.Source, more int) {
	t.Helper()
	from := len(s.Outcomes())
	testkit.Eventually(t, time.Minute, "replies are confirmed", func() error {
		confirmed := 0
		for _, f := range s.Outcomes()[from:] {
			if f.Accepted || f.Returned {
				confirmed++
			}
		}
		if confirmed < more {
			return fmt.Errorf("%d of %d", confirmed, more)
		}
		return nil
	})
}

// missingOutsideGaps checks that what an ear heard is in order, and that each confirmed reply
// that it did not hear, between the first and the last, was sent or confirmed within a gap.
func (e *recordingClient) missingOutsideGaps(t *testing.T, s *testkit.Source) {
	t.Helper()
	heard, _ := e.received()
	if !slices.IsSorted(heard) || len(slices.Compact(slices.Clone(heard))) != len(heard) {
		t.Errorf("%s has heard replies twice, or out of order", e.name)
	}
	gaps, fates, missing, untold := e.gaps(t), s.Outcomes(), 0, 0
	for n := heard[0]; n < heard[len(heard)-1]; n++ {
		f := fates[n]
		if _, found := slices.BinarySearch(heard, n); found || !f.Accepted && !f.Returned {
			continue
		}
		missing++
		if !slices.ContainsFunc(gaps, func(g span) bool { return !f.Settled.Before(g.From) && !f.Sent.After(g.To) }) {
			untold++
		}
	}
	t.Logf("%s: %d heard, %d missing, in gaps %v", e.name, len(heard), missing, gaps)
	if untold > 0 {
		t.Errorf("%s: %d of %d missing replies are in no gap; it was told %s", e.name, untold, missing, strings.Join(e.messagesWith(`"op":"gap"`), " "))
	}
}
