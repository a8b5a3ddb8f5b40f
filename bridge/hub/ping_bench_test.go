package hub

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// BenchmarkAPingBesideABusyClient measures the longest time for which a client waits for its pong
// while another client's request is being answered.
func BenchmarkAPingBesideABusyClient(b *testing.B) {
	ids := func(i int) (filter.Reply, string) {
		return filter.Reply{Sender: "a", Code: "i", CommandID: strings.Repeat("a", 249) + fmt.Sprintf("%06d", i)}, `{}`
	}
	status := func(i int) (filter.Reply, string) { return filter.Reply{Sender: "a", Code: "i"}, body42(i) }
	values := func(i int) (filter.Reply, string) {
		return filter.Reply{Sender: fmt.Sprint("actor", i/200), Code: "i"}, fmt.Sprintf(`{"keyword_%d_%d": 1}`, i/200, i%200)
	}
	for _, c := range []struct {
		name    string
		replies int
		reply   func(i int) (filter.Reply, string)
		request string // its answer has the op that is named first in it
		answer  string
	}{
		{"since-ids", 9614, ids, `{"op": "subscribe", "id": "%d", "filter": {"command_id": ` + patterns(64, "*"+strings.Repeat("a", 100)) + `}, "since": {"epoch": "%s", "seq": 0}}`, "ok"},
		{"since-keywords", 9000, status, `{"op": "subscribe", "id": "%d", "filter": {"keyword": ` + patterns(64, "*keyword_1*") + `}, "since": {"epoch": "%s", "seq": 0}}`, "ok"},
		{"snapshot", 40_000, values, `{"op": "snapshot", "id": "%d %s", "filter": {"keyword": ` + patterns(64, "*"+strings.Repeat("k", 100)) + `}}`, "snapshot"},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := newHarness(b)
			s.remember(c.replies, c.reply)
			greedy, honest := s.dialAt("/?silent=1"), s.dialAt("/?silent=1")
			s.await(greedy, "hello")
			s.await(honest, "hello")
			worst, n := time.Duration(0), 0
			for b.Loop() {
				n++
				s.tell(greedy, fmt.Sprintf(c.request, n, s.hub.Epoch))
				for answered := false; !answered; {
					began := time.Now()
					s.ask(honest, "pong", `{"op": "ping"}`)
					worst = max(worst, time.Since(began))
					select {
					case <-greedy.answers:
						answered = true
					default:
					}
				}
				if c.answer == "ok" {
					s.ask(greedy, "ok", fmt.Sprintf(`{"op": "unsubscribe", "id": "%d"}`, n))
				}
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
		})
	}
}
