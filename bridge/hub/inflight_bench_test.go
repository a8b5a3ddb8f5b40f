package hub

import (
	"strconv"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// The registry's cost for a command: its entry, a reply to another command, a reply to it, and its
// end.
func BenchmarkCommandInFlight(b *testing.B) {
	f := newInflight("bridge", time.Now, func(evicted) {})
	clients := make([]*recordingClient, 100)
	for i := range clients {
		clients[i] = at("10.0.0." + strconv.Itoa(i%10) + ":1")
	}
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	var r Reply
	b.ReportAllocs()
	for n := range b.N {
		id := ids[n%len(ids)]
		if _, err := f.Add(clients[n%len(clients)], CommandKey{id, "dome"}, nil); err != nil {
			b.Fatal(err)
		}
		for _, code := range []string{">", ":"} {
			r.Reply = filter.Reply{CommandID: id, Code: code, Commander: "bridge.dome", Sender: "weather"}
			f.replied(&r)
			r.Sender = "dome"
			f.replied(&r)
		}
	}
}
