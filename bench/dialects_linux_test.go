package bench

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestSystemsAndTheBridgeInTheirPlaceTakeTurns(t *testing.T) {
	t.Parallel()
	testkit.NeedRedis(t)
	report, err := Dialects(t.Context(), PeersConfig{
		Program: program(t), Python: testkit.CLU(t).Path, SocketShark: testkit.SocketShark(t),
		Sizes: PeerSizes{Rounds: 1, Longest: 5 * time.Minute, Loads: []PeerLoad{
			{Clients: 5, Topics: 3, Steady: 7, Every: time.Millisecond, Burst: 10},
			{Clients: 2, Topics: 1, Steady: 2, Every: time.Millisecond, Burst: 3},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := []PeerResult{report.Bare}
	for _, s := range report.Systems {
		all = append(all, s.Itself, s.Bridge)
	}
	for i, p := range all {
		if p.Missing != "" || p.Lost != 0 || len(p.Loads) != 2 {
			t.Errorf("%+v", p)
			continue
		}
		if f := p.Loads[0]; f.Topics != 3 || f.SteadyCPU[0] <= 0 || f.Rate[0] <= 0 || f.RSS[0] <= 0 {
			t.Errorf("%s: %+v", p.Name, f)
		}
		if f := p.Loads[1]; i > 0 && (f.P99[0] < f.P50[0] || f.P50[0] <= 0) {
			t.Errorf("%s: %+v", p.Name, f)
		}
	}
	if text := report.Markdown(); !strings.Contains(text, "5 clients in 3 topics, 1000 messages/s; a burst of 10 | SocketShark | clu-ws | bare write loop |") {
		t.Error(text)
	}
}

func TestDeliveriesOfTopicsAreThoseOfTheirClients(t *testing.T) {
	for _, c := range []struct{ count, clients, topics, want int }{{4, 10, 0, 40}, {4, 10, 1, 40}, {3, 5, 3, 5}, {1, 5, 3, 2}, {100, 1000, 100, 1000}} {
		// The number of topics divides 999,999,000, so topic 0 is the first of most.
		if got := deliveries(999_999_000, c.count, c.clients, c.topics); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// TestThePageShowsThePublishedDialects guards the figures of docs/bench.md, as of `make bench-peers`.
func TestThePageShowsThePublishedDialects(t *testing.T) {
	var report DialectsReport
	if err := json.Unmarshal(readDocs(t, "bench-dialects.json"), &report); err != nil {
		t.Fatal(err)
	}
	page := string(readDocs(t, "bench.md"))
	if replaced, err := report.ReplaceTable(page); err != nil || replaced != page {
		t.Errorf("docs/bench.md has other tables than those of docs/bench-dialects.json (%v); "+
			"run: go run ./internal/benchpeers -dialects -from docs/bench-dialects.json -publish", err)
	}
}
