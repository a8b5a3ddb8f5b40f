package history

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// heap returns the bytes in use after a collection.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestTheCountedMemoryIsThatOfTheHeap(t *testing.T) {
	for name, body := range map[string]func(i int) string{
		"numbers":      func(i int) string { return fmt.Sprintf(`"keyword_%d": %d.5`, i, i) },
		"states":       func(i int) string { return fmt.Sprintf(`"keyword_%d": "state %d"`, i, i) },
		"deep numbers": func(i int) string { return fmt.Sprintf(`"keyword_%d": {"member": [%d]}`, i, i) },
	} {
		before := heap()
		s := New(Limits{Bytes: 1 << 30})
		const actors, keywords = 100, 200
		for a := range actors {
			for k := range keywords {
				s.say(fmt.Sprintf("actor%d", a), start, "{"+body(k)+"}")
			}
		}
		used, counted := heap()-before, s.Figures().Bytes
		if ratio := float64(used) / float64(counted); ratio < 0.8 || ratio > 1.1 {
			t.Errorf("%s: the heap has %d bytes, counted are %d", name, used, counted)
		}
		runtime.KeepAlive(s)
	}
}

func TestADayOfAKeywordThatChangesEachSecondTakesTenKilobytes(t *testing.T) {
	s := New(Limits{Bytes: 1 << 30})
	fill(s, 1, 2, 24*3600, start)
	if got := s.Figures().Bytes / 2; got > 10_500 {
		t.Errorf("it takes %d bytes", got)
	}
}

func TestAValueThatStaysTakesNoMoreMemory(t *testing.T) {
	s := New(Limits{})
	s.say("a", start, `{"n": 1.5, "s": "x"}`)
	before := s.Figures().Bytes
	for i := range 86400 {
		s.say("a", after(float64(i)), `{"n": 1.50, "s": "x"}`)
	}
	if got := s.Figures().Bytes; got != before {
		t.Errorf("it took %d bytes, and then %d", before, got)
	}
	told := s.since(t, start, after(86400), 100, "a.n")[0]
	if told.Until != after(86399).UnixMilli() {
		t.Errorf("it held until %d", told.Until)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	const most = 220 << 10
	s := New(Limits{Bytes: most})
	fill(s, 5, 30, 2000, start)
	f := s.Figures()
	if f.Bytes > most || f.Bytes < most*3/4 {
		t.Errorf("it takes %d bytes of %d", f.Bytes, most)
	}
	if f.EvictedChunks == 0 || f.EvictedSeries != 0 {
		t.Errorf("%d chunks and %d series were evicted", f.EvictedChunks, f.EvictedSeries)
	}
	a := s.ask(t, Query{Keywords: []string{"actor3.keyword_7"}, From: start.UnixMilli(), To: after(2000).UnixMilli(), Points: 5000})
	if len(a.Evicted) != 1 || a.Evicted[0] != "actor3.keyword_7" {
		t.Errorf("the answer tells of %v", a.Evicted)
	}
	if fine := a.Series[0].FineFrom; fine == nil || *fine <= after(2000-rawMS/1000).UnixMilli() {
		t.Errorf("each change is known from %v on", fine)
	}
}

func TestAnActorWithManyKeywordsTakesNothingFromOneWithFew(t *testing.T) {
	s := New(Limits{Bytes: 1 << 20})
	for i := range 300 {
		s.say("calm", after(float64(i)), fmt.Sprintf(`{"n": %d}`, i))
		body := `{"x": 1`
		for k := range 100 {
			body += fmt.Sprintf(`, "k%d_%d": %d.%d`, i/3, k, i, k)
		}
		s.say("loud", after(float64(i)), body+"}")
	}
	if f := s.Figures(); f.Bytes > 1<<20 || f.EvictedSeries == 0 {
		t.Errorf("figures %+v", f)
	}
	if told := s.since(t, start, after(600), 1000, "calm.n")[0]; len(told.T) != 300 {
		t.Errorf("the calm actor has %d of 300 values", len(told.T))
	}
}

func TestActorsAreBounded(t *testing.T) {
	s := New(Limits{Actors: 10})
	for i := range 100 {
		s.say(fmt.Sprintf("a%d", i), after(float64(i)), `{"n": 1}`)
	}
	if f := s.Figures(); f.Series != 10 || f.EvictedSeries != 90 {
		t.Errorf("figures %+v", f)
	}
	if told := s.since(t, start, after(100), 10, "a99.n", "a1.n"); told[0].Kind == nil || told[1].Kind != nil {
		t.Errorf("the newest is %v, an old one %v", told[0].Kind, told[1].Kind)
	}
}

func TestNotingAKnownKeywordAllocatesNothing(t *testing.T) {
	s := New(Limits{})
	bodies := []Keywords{
		membersOf(`{"n": 1.5, "big": 5853498713190525696, "s": "open", "t": "` + strings.Repeat("x", 500) + `", "b": true, "z": null, "o": {"x": 1, "l": [1, 2, [3]]}}`),
		membersOf(`{"n": 2.5, "big": 5853498713190525697, "s": "closed", "t": "` + strings.Repeat("y", 500) + `", "b": false, "z": null, "o": {"x": 2, "l": [3, 4, [5]]}}`),
	}
	at := start
	r := &Reply{Actor: "a"}
	note := func() {
		for _, body := range bodies {
			at = at.Add(time.Second)
			r.Time = at
			s.Note(r, body)
		}
	}
	for range 500 {
		note()
	}
	if n := testing.AllocsPerRun(500, note); n >= 1 {
		t.Errorf("two replies allocate %v times", n)
	}
}

func TestWhatIsTooOldIsDropped(t *testing.T) {
	s := New(Limits{})
	s.say("dead", start, `{"n": 1}`)
	for i := range 2000 {
		s.say("alive", after(float64(i)*60), fmt.Sprintf(`{"n": %d}`, i))
	}
	if f := s.Figures(); f.Series != 1 || f.EvictedSeries+f.EvictedChunks != 0 {
		t.Errorf("figures %+v", f)
	}
	end := after(2000 * 60)
	told := s.since(t, end.Add(-24*time.Hour), end, 5000, "alive.n")[0]
	if first := told.T[0]; first > end.Add(-24*time.Hour).UnixMilli() || len(told.T) < 24*60 {
		t.Errorf("of the last day %d values are known, from %d on", len(told.T), first)
	}
}

func TestTheOldestMinutesAreEvictedFirst(t *testing.T) {
	s := New(Limits{Bytes: 36 << 10})
	fill(s, 1, 9, 6*3600, start)
	a := s.ask(t, Query{Keywords: []string{"actor0.keyword_7"}, From: start.UnixMilli(), To: after(6 * 3600).UnixMilli(), Points: 5000})
	told := a.Series[0]
	if len(a.Evicted) != 1 || told.Oldest <= after(1800).UnixMilli() {
		t.Errorf("evicted are %v, and the oldest value is of %v", a.Evicted, seconds([]int64{told.Oldest}))
	}
	if fine := told.FineFrom; fine == nil || *fine > after(6*3600-840).UnixMilli() {
		t.Errorf("each change is known from %v on", fine)
	}
}
