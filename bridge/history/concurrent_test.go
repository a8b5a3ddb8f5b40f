package history

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestRepliesQueriesAndAPastDoNotDisturbEachOther(t *testing.T) {
	s := New(Limits{Bytes: 300 << 10})
	past := s.Past()
	const n = 3000
	var all sync.WaitGroup
	all.Go(func() {
		for i := range n {
			s.say(fmt.Sprint("a", i%7), after(n+float64(i)), pastBody(i))
		}
	})
	all.Go(func() {
		for i := range n {
			past.Note(&Reply{Actor: fmt.Sprint("a", i%7), Time: after(float64(i))}, membersOf(pastBody(i)))
		}
		past.join()
	})
	all.Go(func() {
		for i := range n / 10 {
			s.ask(t, Query{Keywords: []string{fmt.Sprintf("a%d.n", i%7), "a1.s"}, From: start.UnixMilli(), To: after(2 * n).UnixMilli(), Points: 500})
			s.Gap(after(float64(i)), after(float64(i+1)))
			s.Figures()
		}
	})
	all.Wait()
	told := s.since(t, start, after(2*n), 5000, "a1.n")[0]
	if until := time.UnixMilli(told.Until); until.Before(after(2*n - 10)) {
		t.Errorf("it was heard until %v", until)
	}
	if f := s.Figures(); f.Bytes > 300<<10 {
		t.Errorf("figures %+v", f)
	}
}
