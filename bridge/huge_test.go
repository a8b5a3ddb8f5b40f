package bridge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// What an actor says may be huge. Only the log has all of it; the rest says what is missing.
func TestWhatIsKeptOfAHugeReplyIsBoundedAndSaysSo(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	s.saysAll(filter.Reply{Sender: "dome", Code: "!"}, `{"text": "`+strings.Repeat("x", 10<<20)+`", "angle": 5}`, 0)
	s.saysAll(filter.Reply{Sender: "dome", Code: "i"}, `{"spectrum": [`+strings.Repeat("1.5,", 10<<18)+`1]}`, 0)
	var many strings.Builder
	for n := range 10_000 {
		fmt.Fprintf(&many, `,"k%05d":%d`, n, n)
	}
	s.saysAll(filter.Reply{Sender: "mount", Code: "i"}, "{"+many.String()[1:]+"}", 0)

	answer := func(op, request string) map[string]any {
		t.Helper()
		s.tell(c, request)
		return s.await(c, op)
	}
	snapshot := answer("snapshot", `{"op": "snapshot"}`)
	actors := snapshot["actors"].(map[string]any)
	keywords := func(actor string) map[string]any { return actors[actor].(map[string]any)["keywords"].(map[string]any) }
	if spectrum := keywords("dome")["spectrum"].(map[string]any); spectrum["too_large"] != float64(10<<20+3) || spectrum["value"] != nil {
		t.Errorf("a list of 10 MB is kept as %v", spectrum)
	}
	if n := len(keywords("mount")); n != 1000 || snapshot["evicted"].(map[string]any)["keywords"] != 9000.0 {
		t.Errorf("of 10,000 keywords %d are kept, %v are missing", n, snapshot["evicted"])
	}
	problems := answer("problems", `{"op": "problems"}`)["problems"].([]any)
	if text := problems[0].(map[string]any)["text"].(string); len(problems) != 1 || len(text) > 600 || !strings.HasSuffix(text, "…") {
		t.Errorf("%d problems, the text has %d bytes", len(problems), len(text))
	}
	page := answer("log", `{"op": "log", "limit": 1000}`)
	if entries := page["entries"].([]any); len(entries) != 1 || page["more"] != true {
		t.Errorf("the first page has %d entries, more: %v", len(entries), page["more"])
	}
	page = answer("log", fmt.Sprintf(`{"op": "log", "limit": 1000, "before": %v}`, page["next"]))
	if entries := page["entries"].([]any); len(entries) != 1 || page["more"] != true {
		t.Errorf("the page with 10 MB has %d entries, more: %v", len(entries), page["more"])
	}
}
