package hub

import (
	"fmt"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// passers returns filters of several kinds, none of which selects the benchmark's reply.
var passers = map[string]func(i int) string{
	"sender":   func(i int) string { return fmt.Sprintf(`{"sender": "actor%d"}`, i) },
	"glob":     func(i int) string { return fmt.Sprintf(`{"sender": "actor%d*"}`, i) },
	"keyword":  func(i int) string { return fmt.Sprintf(`{"keyword": "keyword%d"}`, i) },
	"wildcard": func(i int) string { return fmt.Sprintf(`{"keyword": "*_%d_*"}`, i) },
}

// BenchmarkASubscriptionThatSelectsNothing measures a reply with one such subscription, and what each
// further one adds: ns/subscription. Hubs with one and with 1,001 take turns, so that other load on
// the machine affects both.
func BenchmarkASubscriptionThatSelectsNothing(b *testing.B) {
	for _, kind := range []string{"sender", "glob", "keyword", "wildcard"} {
		b.Run(kind, func(b *testing.B) {
			const more = 1000
			few, many := hubWith(b, passers[kind], 1), hubWith(b, passers[kind], 1+more)
			var spent [2]time.Duration
			for b.Loop() {
				for i, h := range []*Hub{few, many} {
					r := benchReply()
					start := time.Now()
					h.Reply(r, 0, false)
					spent[i] += time.Since(start)
				}
			}
			b.ReportMetric(float64(spent[0].Nanoseconds())/float64(b.N), "ns/reply-with-1")
			b.ReportMetric(float64(spent[1].Nanoseconds())/float64(b.N), "ns/reply-with-1001")
			b.ReportMetric(float64((spent[1]-spent[0]).Nanoseconds())/float64(b.N)/more, "ns/subscription")
		})
	}
}

// hubWith returns a hub with n groups, each with a filter of its own.
func hubWith(b testing.TB, text func(i int) string, n int) *Hub {
	b.Helper()
	h := newHarness(b).hub
	for i := range n {
		f, err := filter.Parse([]byte(text(i)))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := h.join([]subscription{{spec: Spec{Filter: f}}}, &Session{}); err != nil {
			b.Fatal(err)
		}
		h.v1Clients++
	}
	return h
}

// benchReply is a reply with five keywords, of about 330 bytes.
func benchReply() *Reply {
	const body = `{"position": [12.3456, -65.4321], "temperature": 12.5, "dome_open": true, "status": "tracking", "n": 1}`
	const head = `{"headers": {"command_id": "0f5b9a", "commander_id": "x.y", "internal": false, "message_code": "i", "sender": "mount"}, "body": `
	plain := append(make([]byte, engine.MaxHeaderSize, 512), head...)
	at := len(plain)
	plain = append(append(plain, body...), '}')
	return &Reply{Reply: filter.Reply{Sender: "mount", Code: "i", RoutingKey: "reply.x.y", Commander: "x.y"}, Plain: plain, BodyAt: at}
}
