package problem

import (
	"fmt"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// benchTracker is a tracker with many conditions, and time that stands still.
func benchTracker(b *testing.B) *Tracker {
	b.Helper()
	cfg := &site.Config{Keywords: map[string]site.Keyword{}}
	high := 1e6
	for i := range 500 {
		cfg.Keywords[fmt.Sprintf("actor%d.k%d", i/10, i%10)] = site.Keyword{High: &high}
	}
	s, err := site.Compile(cfg)
	if err != nil {
		b.Fatal(err)
	}
	t := New(Config{Epoch: "e", Views: true, After: func(time.Duration, func()) func() bool { return func() bool { return true } }})
	t.SetConditions(s.Conditions())
	return t
}

// A reply with ten keywords, all of which have limits, and one of an actor without any.
func BenchmarkNote(b *testing.B) {
	for _, actor := range []string{"actor7", "other"} {
		b.Run(actor, func(b *testing.B) {
			t := benchTracker(b)
			body := "{"
			for i := range 10 {
				body += fmt.Sprintf(`"k%d": %d.5, `, i, i)
			}
			body += `"last": true}`
			var names, values [][]byte
			keywordsOf(body)(func(name, value []byte) bool {
				names, values = append(names, name), append(values, value)
				return true
			})
			r := &Reply{Reply: &filter.Reply{Sender: actor, Code: "i", RoutingKey: "reply.broadcast"}, Seq: 1, Heard: time.Unix(1000, 0), Body: []byte(body),
				Keywords: func(yield func(name, value []byte) bool) {
					for i := range names {
						if !yield(names[i], values[i]) {
							return
						}
					}
				}}
			b.ReportAllocs()
			for b.Loop() {
				t.Note(r)
			}
		})
	}
}

// What is done once a second with as many problems as are kept.
func BenchmarkSweep(b *testing.B) {
	t := benchTracker(b)
	for i := range maxActors {
		for j := range maxBroadcasts {
			body := fmt.Sprintf(`{"text": "%d"}`, j)
			t.Note(&Reply{Reply: &filter.Reply{Sender: fmt.Sprint(i), Code: "!"}, Seq: 1, Heard: time.Unix(1000, 0), Body: []byte(body), Keywords: keywordsOf(body)})
		}
	}
	for b.Loop() {
		t.mu.Lock()
		t.sweep()
		t.mu.Unlock()
	}
}
