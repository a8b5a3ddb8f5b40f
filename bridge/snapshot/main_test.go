package snapshot

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// noon is when the tests' replies come.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC)

// noonText is noon as it is written.
const noonText = "2026-11-21T12:00:00.123456+00:00"

// unheard is what is written of an actor whose rhythm and consumer are not known.
const unheard = `, "interval_ms": null, "consumer": null`

// say is a reply of code i at noon.
func say(sender string, seq uint64, body string) Reply {
	return Reply{Sender: sender, Code: "i", Broadcast: true, Seq: seq, Time: noon, Body: []byte(body)}
}

// tree is JSON as encoding/json reads it.
func tree(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}

// values are the last values by actor and keyword, with nil for those that are too large.
func values(t *testing.T, s *Store, keep func(Entry) bool) map[string]map[string]any {
	t.Helper()
	var actors map[string]struct {
		Keywords map[string]struct{ Value any }
	}
	text := s.Append(nil, keep)
	if err := json.Unmarshal(text, &actors); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	all := map[string]map[string]any{}
	for name, a := range actors {
		all[name] = map[string]any{}
		for keyword, k := range a.Keywords {
			all[name][keyword] = k.Value
		}
	}
	return all
}
