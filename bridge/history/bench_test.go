package history

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// fill notes replies of some actors with some numeric keywords each at 1 Hz, with two decimals and noise.
func fill(s *Store, actors, keywords, seconds int, from time.Time) {
	random := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, actors*keywords)
	names := make([][]byte, keywords)
	for k := range names {
		names[k] = fmt.Appendf(nil, "keyword_%d", k)
	}
	for sec := range seconds {
		for a := range actors {
			r := &Reply{Actor: fmt.Sprintf("actor%d", a), Time: from.Add(time.Duration(sec)*time.Second + time.Duration(random.IntN(5000))*time.Microsecond)}
			s.Note(r, func(yield func(name, value []byte) bool) {
				var buf [32]byte
				for k, name := range names {
					v := &values[a*keywords+k]
					*v += random.NormFloat64() * 0.2
					if !yield(name, fmt.Appendf(buf[:0], "%.2f", 100+*v)) {
						return
					}
				}
			})
		}
	}
}

// BenchmarkNote notes replies with 40 keywords, in enough memory and in too little.
func BenchmarkNote(b *testing.B) {
	b.Run("with room", func(b *testing.B) { benchmarkNote(b, New(Limits{})) })
	b.Run("full", func(b *testing.B) { benchmarkNote(b, New(Limits{Bytes: 12 << 20})) })
}

func benchmarkNote(b *testing.B, s *Store) {
	const keywords = 40
	fill(s, 250, keywords, 30, start)
	random := rand.New(rand.NewPCG(1, 2))
	names := make([][]byte, keywords)
	for k := range names {
		names[k] = fmt.Appendf(nil, "keyword_%d", k)
	}
	actors := make([]string, 250)
	for i := range actors {
		actors[i] = fmt.Sprintf("actor%d", i)
	}
	values := make([][]byte, 1000)
	for i := range values {
		values[i] = fmt.Appendf(nil, "%.2f", 100+random.NormFloat64()*0.2)
	}
	i := 0
	each := func(yield func(name, value []byte) bool) {
		for k := range names {
			yield(names[k], values[(i*7+k)%len(values)])
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		i++
		s.Note(&Reply{Actor: actors[i%250], Time: start.Add(30*time.Second + time.Duration(i)*4*time.Millisecond)}, each)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keywords, "ns/value")
}

func BenchmarkQuery(b *testing.B) {
	s := New(Limits{})
	fill(s, 1, 4, 24*3600, start)
	q := Query{Keywords: []string{"actor0.keyword_0", "actor0.keyword_1", "actor0.keyword_2", "actor0.keyword_3"},
		From: start.UnixMilli(), To: start.Add(24 * time.Hour).UnixMilli(), Points: 1200}
	for b.Loop() {
		a := s.Ask(q)
		for !a.Step() {
		}
		a.Append(nil)
	}
}
