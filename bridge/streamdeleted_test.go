package bridge_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAStreamThatIsDeletedWhileBridgesReadItHidesNothingFromTheirClients(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	stream := func(c *bridge.Config) {
		c.Durable.Stream = &bridge.Stream{Bytes: 100 << 20}
		c.History.Replies = 10_000
	}
	var all []*replyRecorder
	var addrs []string
	for i := range 2 {
		b := linked(t, url, stream)
		c, _ := dialV1(t, b.addr, "/")
		all, addrs = append(all, recordReplies(t, fmt.Sprintf("v1 client %d", i), c)), append(addrs, b.addr)
	}
	s := testkit.StartSource(t, url, 200)
	awaitPast(t, s, all)
	testkit.WaitUntil(t, "the stream has some replies", func() bool { return s.Sent() >= 200 })
	before := all[0].place()
	deleteReplyStream(t, url)
	awaitPast(t, s, all)
	accepted := settle(t, s, all)
	for _, e := range all {
		e.checkPlaces(t)
		e.checkTold(t, s)
	}
	// A client that comes back with a number of the old stream gets the rest, at either bridge.
	for i, addr := range addrs {
		c, hello := dialV1(t, addr, fmt.Sprintf("/?since=%s:%d", before.epoch, before.seq))
		if now := all[0].place(); hello["epoch"] != before.epoch || now.epoch != before.epoch || hello.seq() < now.seq {
			t.Errorf("bridge %d: it greets with %v, the replies were at %v and are at %v", i, hello, before, now)
		}
		e := recordReplies(t, fmt.Sprintf("the client that resumes at bridge %d", i), c)
		testkit.WaitUntil(t, "it has the last reply", func() bool { return e.last() >= accepted[len(accepted)-1] })
		e.checkPlaces(t)
		e.checkTold(t, s)
	}
}

// deleteReplyStream deletes the stream of CLU's exchange, as an operator would.
func deleteReplyStream(t *testing.T, url string) {
	t.Helper()
	if _, err := testkit.OpenChannel(t, url).QueueDelete(actor.Exchange+"_stream", false, false, false); err != nil {
		t.Fatal(err)
	}
}

// place identifies a reply.
type place struct {
	epoch string
	seq   uint64
}

// place returns that of the last reply.
func (e *replyRecorder) place() place {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.places[len(e.places)-1]
}

// checkPlaces checks that no reply would pass for one that the client had before.
func (e *replyRecorder) checkPlaces(t *testing.T) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, p := range e.places[1:] {
		if last := e.places[i]; p.epoch == last.epoch && p.seq <= last.seq {
			t.Errorf("%s: reply %d, at %v, came behind %v: it counts as one that was there", e.name, e.numbers[i+1], p, last)
			return
		}
	}
}

// checkTold checks that no reply came twice, and that each that is missing was sent in a gap.
func (e *replyRecorder) checkTold(t *testing.T, s *testkit.Source) {
	t.Helper()
	heard := map[int]bool{}
	for _, n := range e.all() {
		if heard[n] {
			t.Errorf("%s: reply %d came twice", e.name, n)
		}
		heard[n] = true
	}
	outcomes := s.Outcomes()
	for _, n := range holes(heard, e.all()[0], e.last()) {
		o := outcomes[n]
		if o.Accepted && !slices.ContainsFunc(e.gaps, func(g envelope) bool {
			return !o.Settled.Before(parseTime(t, g["from"])) && !o.Sent.After(parseTime(t, g["to"]))
		}) {
			t.Errorf("%s: reply %d, sent at %v, is missing outside of the gaps %v", e.name, n, o.Sent, e.gaps)
		}
	}
}
