package filter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// hard is a filter that looks at everything: its last field decides.
const hard = `{"sender": ["x", "lvm.*"], "routing_key": ["reply.#.lvmecp", "x.#"], "message_code": [":", "f"],
	"keyword": "[xyz]*", "command_id": "id-*", "commander": ["me", "bridge.*"], "internal": false}`

func TestMatchDoesNotAllocate(t *testing.T) {
	r := done()
	for _, text := range []string{`{}`, hard, strings.Replace(hard, "[xyz]*", "t[^x]*", 1)} {
		f := parse(t, text)
		if n := testing.AllocsPerRun(100, func() { f.Match(&r); f.MatchMine(&r, true) }); n != 0 {
			t.Errorf("%s allocates %v times", text, n)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	long := done()
	for i := range 50 {
		long.Keywords = append(long.Keywords, fmt.Sprintf("some_keyword_of_length_%d", i))
	}
	short := done()
	for _, bench := range []struct {
		name, text string
		reply      *filter.Reply
	}{
		{"everything", `{}`, &short},
		{"other-sender", `{"sender": ["lvmscp", "lvmnps"]}`, &short},
		{"other-sender-by-glob", `{"sender": "lvmscp*"}`, &short},
		{"other-routing-key", `{"routing_key": "reply.*.lvmscp"}`, &short},
		{"other-code", `{"message_code": "f"}`, &short},
		{"other-keyword", `{"keyword": "weather"}`, &short},
		{"passes-all-but-the-last", hard, &short},
		{"worst-that-a-client-can-ask", worst(), &long},
	} {
		b.Run(bench.name, func(b *testing.B) {
			f := parse(b, bench.text)
			b.ReportAllocs()
			for b.Loop() {
				f.Match(bench.reply)
			}
		})
		b.Run(bench.name+"/remembered", func(b *testing.B) {
			f, m := parse(b, bench.text), filter.NewMemo(100)
			n := m.Add()
			b.ReportAllocs()
			for b.Loop() {
				m.Look(bench.reply)
				m.Match(f, n, false)
			}
		})
	}
}

// worst has as many globs as may be, each of which tries at every place.
func worst() string {
	values := make([]string, 64)
	for i := range values {
		values[i] = fmt.Sprintf(`"*%s%d"`, strings.Repeat("?", 10), i+1000)
	}
	return `{"keyword": [` + strings.Join(values, ", ") + `]}`
}
