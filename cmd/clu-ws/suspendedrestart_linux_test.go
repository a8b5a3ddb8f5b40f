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

// span is a gap that was reported to a client.
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

// A bridge is suspended while its broker is restarted. The replies in its buffers when
// it resumes are older than the gap, however late they are read.
func TestABridgeThatIsSuspendedDuringABrokerRestartReportsAllMissingReplies(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	kinds := []string{"no", "expires=60s", "stream"}
	var bridges []child
	var recorders []*recordingClient
	for _, durable := range kinds {
		p := spawnAt(t, n.URL(), "--port", "0", "--name", "bridge-"+durable[:2], "--durable", durable)
		p.awaitLinked(t)
		e, _ := startRecording(t, durable, v1(), "ws://"+p.announcedAddress(t, "ws://"))
		bridges, recorders = append(bridges, p), append(recorders, e)
	}
	s := testkit.StartSource(t, n.URL(), 500)
	awaitNext(t, s, recorders...)
	for _, p := range bridges {
		p.freeze(t)
	}
	awaitConfirmed(t, s, 1000) // they are in the buffers, and in the queues
	n.Restart(t)
	awaitConfirmed(t, s, 1000)
	for _, p := range bridges {
		p.signal(t, syscall.SIGCONT)
	}
	awaitNext(t, s, recorders...)
	s.Stop()
	for i, e := range recorders {
		if e.missingOutsideGaps(t, s); n.Khepri(t) && kinds[i] != "no" && len(e.gaps(t)) > 0 {
			t.Errorf("%s: nothing was lost, but the gaps %v were reported", e.name, e.gaps(t))
		}
	}
}

// awaitConfirmed waits until the broker has confirmed a number of further replies.
func awaitConfirmed(t *testing.T, s *testkit.Source, more int) {
	t.Helper()
	from := s.Sent()
	testkit.Eventually(t, testkit.Patience, "replies are confirmed", func() error {
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

// missingOutsideGaps checks that the received replies are in order, and that each confirmed
// reply that is missing between the first and the last was sent or confirmed within a gap.
func (e *recordingClient) missingOutsideGaps(t *testing.T, s *testkit.Source) {
	t.Helper()
	received, _ := e.received()
	if !slices.IsSorted(received) || len(slices.Compact(slices.Clone(received))) != len(received) {
		t.Errorf("%s received replies twice, or out of order", e.name)
	}
	gaps, outcomes, missing, untold := e.gaps(t), s.Outcomes(), 0, 0
	for n := received[0]; n < received[len(received)-1]; n++ {
		f := outcomes[n]
		if _, found := slices.BinarySearch(received, n); found || !f.Accepted && !f.Returned {
			continue
		}
		missing++
		if !slices.ContainsFunc(gaps, func(g span) bool { return !f.Settled.Before(g.From) && !f.Sent.After(g.To) }) {
			untold++
		}
	}
	t.Logf("%s: %d received, %d missing, in gaps %v", e.name, len(received), missing, gaps)
	if untold > 0 {
		t.Errorf("%s: %d of %d missing replies are in no gap; the reported gaps: %s", e.name, untold, missing, strings.Join(e.messagesWith(`"op":"gap"`), " "))
	}
}
