package bridge_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// replyRecorder records the replies and gaps that a client gets.
type replyRecorder struct {
	name  string
	heard sync.WaitGroup

	// mu guards the following fields.
	mu      sync.Mutex
	numbers []int
	places  []place // of the replies that are numbered
	gaps    []envelope
	ended   error
}

func recordReplies(t *testing.T, name string, c *client) *replyRecorder {
	t.Helper()
	e := &replyRecorder{name: name}
	_ = c.SetReadDeadline(time.Time{}) // a pause of the broker is no fault
	e.heard.Go(func() {
		for {
			text, err := wsutil.ReadServerText(c)
			if err != nil {
				e.mu.Lock()
				e.ended = err
				e.mu.Unlock()
				return
			}
			e.take(parseEnvelope(t, text))
		}
	})
	t.Cleanup(func() { c.Close(); e.heard.Wait() })
	return e
}

func (e *replyRecorder) take(m envelope) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case m["op"] == "gap":
		e.gaps = append(e.gaps, m)
	case m["op"] == nil && m.number() >= 0:
		e.numbers = append(e.numbers, m.number())
		if epoch, ok := m["epoch"].(string); ok {
			e.places = append(e.places, place{epoch, m.seq()})
		}
	}
}

func (e *replyRecorder) all() []int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.numbers)
}

// state returns the last number, and why the connection ended.
func (e *replyRecorder) state() (last int, ended error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.numbers) == 0 {
		return -1, e.ended
	}
	return e.numbers[len(e.numbers)-1], e.ended
}

func (e *replyRecorder) last() int {
	last, _ := e.state()
	return last
}

// check compares the replies with those that the broker accepted: each must be there once, in order.
func (e *replyRecorder) check(t *testing.T, accepted []int) {
	t.Helper()
	heard := e.all()
	// A reply that was cut off before its confirm may reach the queue after those of the
	// source's next connection: only the accepted ones have an order.
	ordered := slices.DeleteFunc(slices.Clone(heard), func(n int) bool { _, ok := slices.BinarySearch(accepted, n); return !ok })
	for i := 1; i < len(ordered); i++ {
		if ordered[i] < ordered[i-1] {
			t.Errorf("%s: reply %d came behind %d", e.name, ordered[i], ordered[i-1])
		}
	}
	seen := map[int]int{}
	for _, n := range heard {
		seen[n]++
	}
	var lost, doubled []int
	for _, n := range accepted {
		if seen[n] == 0 {
			lost = append(lost, n)
		}
	}
	for n, times := range seen {
		if times > 1 {
			doubled = append(doubled, n)
		}
	}
	slices.Sort(doubled)
	if len(lost) > 0 || len(doubled) > 0 {
		t.Errorf("%s: of %d accepted replies %d are lost %v and %d doubled %v", e.name, len(accepted), len(lost), some(lost), len(doubled), some(doubled))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended != nil && len(heard) == 0 {
		t.Errorf("%s: ended with %v", e.name, e.ended)
	}
}

func some(numbers []int) []int { return numbers[:min(20, len(numbers))] }

// recordClients connects some plain and some v1 clients to a bridge.
func recordClients(t *testing.T, b *running) (all []*replyRecorder) {
	t.Helper()
	for i := range 3 {
		v1, _ := dialV1(t, b.addr, "/")
		all = append(all, recordReplies(t, fmt.Sprintf("plain client %d", i), dial(t, b.addr)), recordReplies(t, fmt.Sprintf("v1 client %d", i), v1))
	}
	return all
}

// awaitPast waits until all clients have received a reply that was sent after now.
func awaitPast(t *testing.T, s *testkit.Source, all []*replyRecorder) {
	t.Helper()
	from := s.Sent()
	testkit.Eventually(t, 2*testkit.Patience, "every client hears what is sent now", func() error {
		for _, e := range all {
			if last, ended := e.state(); last < from {
				return fmt.Errorf("%s is at %d of %d, and its connection is %v", e.name, last, s.Sent(), cmp.Or(ended, errors.New("open")))
			}
		}
		return nil
	})
}

// settle stops the source and waits until the clients have its last accepted reply.
func settle(t *testing.T, s *testkit.Source, all []*replyRecorder) []int {
	t.Helper()
	s.Stop()
	accepted := s.Accepted()
	last := accepted[len(accepted)-1]
	testkit.WaitUntil(t, "every client has the last reply", func() bool {
		return !slices.ContainsFunc(all, func(e *replyRecorder) bool { return e.last() < last })
	})
	return accepted
}

func TestAQueueThatExpiresLosesNothingThroughAKilledConnectionAndAPause(t *testing.T) {
	t.Parallel()
	node := testkit.StartRabbitMQ(t)
	log := &logged{}
	b := linked(t, node.URL(), log.config, func(c *bridge.Config) { c.Name, c.Durable.Expires = "keeper", time.Minute })
	all := recordClients(t, b)
	s := testkit.StartSource(t, node.URL(), 1000)
	awaitPast(t, s, all)
	for range 3 {
		closeConnectionsOf(t, node, "keeper consumer")
		awaitPast(t, s, all)
	}
	node.CloseConnections(t)
	awaitPast(t, s, all)
	pause(t, node, s)
	awaitPast(t, s, all)
	accepted := settle(t, s, all)
	for _, e := range all {
		e.check(t, accepted)
		// A busy broker drops the consumer of a broken connection late; what it has sent there may be lost.
		if len(e.gaps) > 0 && !strings.Contains(log.String(), "has not noticed yet that the last connection broke") {
			t.Errorf("%s: was told of gaps: %v; the log has\n%s", e.name, e.gaps, log)
		}
	}
	t.Logf("%d replies accepted of %d sent", len(accepted), s.Sent())
}

// pause stops the node for longer than the heartbeat allows. What the source sends in the first seconds waits in the
// network; more would only be a backlog that takes long on a crowded machine.
func pause(t *testing.T, node *testkit.Node, s *testkit.Source) {
	t.Helper()
	node.Pause(t)
	<-time.After(2 * time.Second)
	s.Pause(true)
	<-time.After(18 * time.Second) // the length of the pause is what is tested
	node.Resume(t)
	s.Pause(false)
}

// closeConnectionsOf makes the node close the connections with a name.
func closeConnectionsOf(t *testing.T, node *testkit.Node, name string) {
	t.Helper()
	closed := node.Eval(t, fmt.Sprintf(`length([C || C <- rabbit_networking:connections(),
		[{client_properties, P}] <- [try rabbit_reader:info(C, [client_properties]) catch _:_ -> ended end],
		{<<"connection_name">>, _, <<%q>>} <- P,
		(try rabbit_networking:close_connection(C, "closed by the test") catch exit:_ -> ok end) =:= ok]).`, name))
	if closed == "0" {
		t.Errorf("there is no connection %q", name)
	}
}

func TestAStreamLosesNothingThroughAKilledConnectionAPauseAndARestart(t *testing.T) {
	t.Parallel()
	node := testkit.StartRabbitMQ(t)
	stream := func(c *bridge.Config) { c.Durable.Stream = &bridge.Stream{Bytes: 100 << 20} }
	bridges := []*running{linked(t, node.URL(), stream), linked(t, node.URL(), stream), linked(t, node.URL(), stream)}
	var all []*replyRecorder
	for _, b := range bridges {
		all = append(all, recordClients(t, b)...)
	}
	s := testkit.StartSource(t, node.URL(), 1000)
	awaitPast(t, s, all)
	node.CloseConnections(t)
	awaitPast(t, s, all)
	pause(t, node, s)
	awaitPast(t, s, all)
	node.Restart(t)
	awaitPast(t, s, all)
	accepted := settle(t, s, all)
	want := map[bool]int{true: 0, false: 1}[node.Khepri(t)] // there the bindings outlive a restart
	for _, e := range all {
		e.check(t, accepted)
		if v1 := strings.HasPrefix(e.name, "v1"); v1 && len(e.gaps) != want || !v1 && len(e.gaps) > 0 {
			t.Errorf("%s: was told of %d gaps: %v", e.name, len(e.gaps), e.gaps)
		}
	}
	t.Logf("%d replies accepted of %d sent", len(accepted), s.Sent())
}

func TestWithoutADurableQueueTheReportedGapIsTheRealOne(t *testing.T) {
	t.Parallel()
	node := testkit.StartRabbitMQ(t)
	b := linked(t, node.URL(), func(c *bridge.Config) { c.Name = "loser" }, bridge.Hurried) // it notices shorter pauses so
	v1, _ := dialV1(t, b.addr, "/")
	e := recordReplies(t, "the client", v1)
	s := testkit.StartSource(t, node.URL(), 1000)
	awaitPast(t, s, []*replyRecorder{e})
	const breaks = 3
	for range breaks {
		closeConnectionsOf(t, node, "loser consumer")
		awaitPast(t, s, []*replyRecorder{e})
	}
	settle(t, s, []*replyRecorder{e})
	heard := map[int]bool{}
	for _, n := range e.all() {
		heard[n] = true
	}
	fates := s.Outcomes()
	found := holes(heard, e.all()[0], e.last())
	if len(e.gaps) != breaks {
		t.Fatalf("%d gaps were told of %d", len(e.gaps), breaks)
	}
	// A reply is sent some time before the broker has it: what it needs for a confirm, on a crowded machine.
	slack := time.Second
	for _, o := range fates {
		if o.Accepted {
			slack = max(slack, o.Settled.Sub(o.Sent))
		}
	}
	// A gap begins with the last request to the broker that was answered, because the network may
	// have delayed what came later. There is a request every second,
	// and its answer may take another.
	unproven := 2*time.Second + slack
	near := func(at, first, last time.Time) bool {
		return !at.Before(first.Add(-slack)) && !at.After(last.Add(slack))
	}
	for i, told := range e.gaps {
		from, to := parseTime(t, told["from"]), parseTime(t, told["to"])
		t.Logf("told: %v, %v s", told["from"], told["seconds"])
		n := 0 // how many are missing in a row
		for n < len(found) && found[n] == found[0]+n {
			n++
		}
		if n == 0 {
			t.Fatalf("gap %d: nothing is missing", i)
		}
		first, last := found[0], found[n-1]
		found = found[n:]
		if !near(from, fates[first-1].Sent.Add(-unproven), fates[first].Sent) || !near(to, fates[last].Sent, fates[last+1].Sent) {
			t.Errorf("gap %d from %v to %v: the last reply before it was sent at %v, the first missing at %v, the last missing at %v, the first behind it at %v",
				i, from, to, fates[first-1].Sent, fates[first].Sent, fates[last].Sent, fates[last+1].Sent)
		}
	}
	if len(found) > 0 {
		t.Errorf("%d replies are missing outside of the gaps: %v", len(found), some(found))
	}
}

// holes returns the numbers in a range that are missing.
func holes(heard map[int]bool, from, to int) (missing []int) {
	for n := from; n <= to; n++ {
		if !heard[n] {
			missing = append(missing, n)
		}
	}
	return missing
}

func parseTime(t *testing.T, text any) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(text))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestEachClientOfThreeBridgesGetsEveryReplyOnce(t *testing.T) {
	for name, durable := range map[string]func(*bridge.Config){
		"queues": func(*bridge.Config) {},
		"stream": func(c *bridge.Config) { c.Durable.Stream = &bridge.Stream{Bytes: 100 << 20} },
	} {
		t.Run(name, func(t *testing.T) {
			url := testkit.RabbitMQ(t).NewVHost(t)
			var all []*replyRecorder
			epochs := map[any]int{}
			for range 3 {
				b := linked(t, url, durable)
				all = append(all, recordClients(t, b)...)
				_, hello := dialV1(t, b.addr, "/")
				epochs[hello["epoch"]]++
			}
			s := testkit.StartSource(t, url, 1000)
			awaitPast(t, s, all)
			testkit.WaitUntil(t, "a thousand replies were sent", func() bool { return s.Sent() >= 1000 })
			accepted := settle(t, s, all)
			for _, e := range all {
				e.check(t, accepted)
			}
			if want := map[string]int{"queues": 3, "stream": 1}[name]; len(epochs) != want {
				t.Errorf("the epochs are %v", slices.Collect(maps.Keys(epochs)))
			}
		})
	}
}
