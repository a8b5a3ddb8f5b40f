package hub

import (
	"fmt"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// benchViewHub returns a hub with n groups: of clients that ask for everything and have n different
// views, or of clients without a view that ask for the same by n filters.
func benchViewHub(b testing.TB, n int, views bool) *Hub {
	b.Helper()
	h := newHarness(b).hub
	h.newLog = func() Log { return nullLog{} }
	for i := range n {
		// Two filters, because clients with a single one share the group of that filter.
		hear := []*filter.Filter{
			mustFilter(b, fmt.Sprintf(`{"sender": ["mount", "actor%d"]}`, i)),
			mustFilter(b, fmt.Sprintf(`{"sender": "other%d*"}`, i)),
		}
		s, f := &Session{}, mustFilter(b, fmt.Sprintf(`{"sender": ["mount", "actor%d", "other%d*"]}`, i, i))
		if views {
			f = all()
			s.viewer.Store(&Viewer{View: filter.NewView(hear, nil)})
		}
		if _, err := h.join([]subscription{{spec: Spec{Filter: f}}}, s); err != nil {
			b.Fatal(err)
		}
	}
	return h
}

// nullLog is a log without followers.
type nullLog struct{}

func (nullLog) Append(engine.Frame)                      {}
func (nullLog) AppendWithin(engine.Frame, time.Duration) {}
func (nullLog) Close()                                   {}

// BenchmarkViews measures a reply to 100 groups that all get it. The hubs take turns, so that other
// load on the machine affects all.
func BenchmarkViews(b *testing.B) {
	const groups = 100
	hubs := map[string]*Hub{"none": newHarness(b).hub, "filters": benchViewHub(b, groups, false), "views": benchViewHub(b, groups, true)}
	spent := map[string]time.Duration{}
	for b.Loop() {
		for _, name := range []string{"none", "filters", "views"} {
			r := benchReply()
			start := time.Now()
			hubs[name].Reply(r, 0, false)
			spent[name] += time.Since(start)
		}
	}
	for name, d := range spent {
		b.ReportMetric(float64(d.Nanoseconds())/float64(b.N), "ns/reply-"+name)
	}
	b.ReportMetric(float64(spent["views"]-spent["none"])/float64(spent["filters"]-spent["none"]), "views/filters")
}

// BenchmarkPlainViews measures a reply to 100 groups of plain clients with views, beside a hub without
// any.
func BenchmarkPlainViews(b *testing.B) {
	none, views := newHarness(b).hub, newHarness(b).hub
	for i := range 100 {
		hear := []*filter.Filter{mustFilter(b, fmt.Sprintf(`{"sender": ["mount", "actor%d"]}`, i))}
		if _, err := views.JoinPlain(&Viewer{View: filter.NewView(hear, nil)}, ""); err != nil {
			b.Fatal(err)
		}
	}
	for _, g := range views.plain.list {
		g.log = nullLog{}
	}
	var spent [2]time.Duration
	for b.Loop() {
		for i, h := range []*Hub{none, views} {
			r := benchReply()
			start := time.Now()
			h.Reply(r, 0, false)
			spent[i] += time.Since(start)
		}
	}
	b.ReportMetric(float64(spent[0].Nanoseconds())/float64(b.N), "ns/reply-without")
	b.ReportMetric(float64(spent[1].Nanoseconds())/float64(b.N), "ns/reply-with-100")
}

func TestAViewAddsNothingToTheMemoryOfAReply(t *testing.T) {
	filters, views := benchViewHub(t, 20, false), benchViewHub(t, 20, true)
	replies := make([]*Reply, 0, 500)
	for range cap(replies) {
		replies = append(replies, benchReply())
	}
	var allocs [2]float64
	for i, h := range []*Hub{filters, views} {
		next := replies[i*200:]
		h.Reply(benchReply(), 0, false)
		h.Reply(benchReply(), 0, false)
		allocs[i] = testing.AllocsPerRun(100, func() {
			h.Reply(next[0], 0, false)
			next = next[1:]
		})
	}
	if allocs[1] > allocs[0] {
		t.Errorf("with views a reply allocates %v times, with filters %v", allocs[1], allocs[0])
	}
}

// nullConn is a connection that takes everything.
type nullConn struct{}

func (nullConn) Follow(Log, ...engine.Frame)   {}
func (nullConn) SendInOrder(...engine.Frame)   {}
func (nullConn) Send(engine.Frame)             {}
func (nullConn) Close(code int, reason string) {}

// BenchmarkChangesOfGrants measures how long it takes to give 10,000 clients, of 100 kinds, other
// views, as a reload of the configuration may do.
func BenchmarkChangesOfGrants(b *testing.B) {
	h := newHarness(b).hub
	h.newLog = func() Log { return nullLog{} }
	viewers := func(hidden string) (all []*Viewer) {
		for i := range 100 {
			all = append(all, &Viewer{View: viewOf(b, fmt.Sprintf(`{"sender": ["mount", "actor%d"]}`, i), hidden)})
		}
		return all
	}
	kinds := [][]*Viewer{viewers(`{"message_code": "d"}`), viewers(`{"internal": true}`)}
	var sessions []*Session
	for i := range 10_000 {
		s := NewSession(fmt.Sprint("bridge-", i), fmt.Sprint("10.0.0.", i%250))
		s.Restrict(kinds[0][i%100], nil)
		h.Greet(nullConn{}, s, &ConnectRequest{}, protocol.Hello{})
		sessions = append(sessions, s)
	}
	n := 0
	for b.Loop() {
		n++
		for i, s := range sessions {
			h.SetViewer(s, kinds[n%2][i%100])
		}
		done := make(chan struct{})
		h.Do(func() { close(done) })
		<-done
		h.Reply(benchReply(), 0, false) // the matcher learns of the changes
	}
}
