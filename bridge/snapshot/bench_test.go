package snapshot

import (
	"fmt"
	"testing"
)

// typicalBody is a mount's status: about 400 bytes, five keywords.
const typicalBody = `{"ra": 187.70593076, "dec": 12.39112331, "status": {"tracking": true, "slewing": false, "axes": [` +
	`{"name": "ra", "position": 187.7059, "torque": 0.12}, {"name": "dec", "position": 12.3911, "torque": -0.07}], ` +
	`"mode": "sidereal"}, "text": "The mount follows the star HD 108085, \"gamma\", since 03:38:40; the next flip is in two hours.", ` +
	`"limits": [-90.0, 90.0, -15.5, 85.25, 0.0, 360.0, 12.125, 14.0, "none"]}`

func typical(seq uint64) Reply {
	return Reply{
		Sender: "mount", Code: "i", RoutingKey: "reply.bridge.mount", CommandID: "5f0c2a9be1d4", Commander: "bridge.mount",
		Time: noon, Seq: seq, Body: []byte(typicalBody),
	}
}

// manyActors is a store of so many actors, each of which said so many keywords in
// replies of five.
func manyActors(actors, keywords int) *Store {
	s := New(Limits{})
	for i := range actors {
		for j := range keywords / 5 {
			s.Note(say(fmt.Sprintf("actor%d", i), uint64(j), fmt.Sprintf(
				`{"temperature_%d": -12.5, "state_%d": "closed", "position_%d": [1.25, 2.5], "error_%d": null, "count_%d": 17}`, j, j, j, j, j)))
		}
	}
	return s
}

func TestAReplyOfKnownKeywordsAllocatesNothing(t *testing.T) {
	s := New(Limits{})
	r := typical(1)
	s.Note(r)
	s.Note(r) // both sources that take turns are there now
	if n := testing.AllocsPerRun(100, func() { s.Note(r) }); n != 0 {
		t.Errorf("a reply allocates %v times", n)
	}
}

func BenchmarkNote(b *testing.B) {
	s := New(Limits{})
	r := typical(1)
	b.ReportAllocs()
	for b.Loop() {
		r.Seq++
		s.Note(r)
	}
}

func BenchmarkNoteNewKeywords(b *testing.B) {
	s := New(Limits{})
	bodies := make([][]byte, 10_000)
	for i := range bodies {
		bodies[i] = fmt.Appendf(nil, `{"keyword_%d": %d}`, i, i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Note(Reply{Sender: "mount", Body: bodies[i%len(bodies)]})
	}
}

func BenchmarkAppend(b *testing.B) {
	s := manyActors(100, 50)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = s.Append(dst[:0], nil)
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkAppendFiltered(b *testing.B) {
	s := manyActors(100, 50)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = s.Append(dst[:0], func(e Entry) bool { return e.Actor == "actor42" && !e.Internal })
	}
}

// full is a store at its bound of 32 MiB: a thousand actors with many keywords, which
// came in replies of five.
func full(b *testing.B) *Store {
	b.Helper()
	s := New(Limits{})
	for j := 0; s.Bytes() < 31<<20; j++ {
		for i := range 1000 {
			s.Note(say(fmt.Sprintf("actor%03d", i), uint64(j), fmt.Sprintf(
				`{"temperature_%d": -12.5, "state_%d": "closed", "position_%d": [1.25, 2.5, 17, "north"], "error_%d": null, "count_%d": 17}`, j, j, j, j, j)))
		}
	}
	return s
}

// A snapshot of everything, when nobody, a tenth of the actors, or everybody has said
// something since the last one; and one of a filter that lets everything through.
func BenchmarkEncodeFull(b *testing.B) {
	all := func(Entry) bool { return true }
	for name, c := range map[string]struct {
		heard int
		keep  func(Entry) bool
	}{"nobody": {0, nil}, "tenth": {100, nil}, "everybody": {1000, nil}, "filtered": {1000, all}} {
		b.Run(name, func(b *testing.B) {
			s := full(b)
			actors, keywords := s.Len()
			p, bytes := NewEncoder(c.keep, nil, 0, unsealedPart), 0
			encode := func() {
				p.Start(s)
				for !p.Step(func(int) bool { return false }) {
				}
				bytes = p.Bytes()
			}
			encode()
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				for i := range c.heard {
					s.Note(say(fmt.Sprintf("actor%03d", i), 1, `{"count_1": 18}`))
				}
				b.StartTimer()
				encode()
			}
			b.SetBytes(int64(bytes))
			b.ReportMetric(float64(bytes)/(1<<20), "MiB")
			b.ReportMetric(float64(actors), "actors")
			b.ReportMetric(float64(keywords), "keywords")
		})
	}
}
