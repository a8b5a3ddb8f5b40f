package filter_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// Filters come and go, texts come again, and the memo is full all the time.
func TestAMemoAgreesWithTheFilter(t *testing.T) {
	for _, texts := range []int{1, 7, 1000} {
		rnd := rand.New(rand.NewPCG(11, uint64(texts)))
		m := filter.NewMemo(texts)
		type numbered struct {
			*filter.Filter
			number int
		}
		var all []numbered
		selected, asked := 0, 0
		for range 3000 {
			switch {
			case rnd.IntN(3) == 0 && len(all) > 0:
				at := rnd.IntN(len(all))
				m.Remove(all[at].number)
				all = append(all[:at], all[at+1:]...)
			case len(all) < 200:
				all = append(all, numbered{parse(t, randomModel(rnd).spelled(rnd)), m.Add()})
			}
			r := randomReply(rnd)
			m.Look(r)
			for _, f := range all {
				mine := rnd.IntN(2) == 0
				got, want := m.Match(f.Filter, f.number, mine), f.MatchMine(r, mine)
				if got != want {
					t.Fatalf("%s of %+v, mine %v: the memo says %v", f.Key(), r, mine, got)
				}
				if asked++; got {
					selected++
				}
			}
		}
		if selected < asked/20 || selected > asked*19/20 {
			t.Errorf("%d of %d were selected: the test tries little", selected, asked)
		}
	}
}

func TestAMemoizedTextIsNotMatchedAgain(t *testing.T) {
	m := filter.NewMemo(1000)
	var filters []*filter.Filter
	var numbers []int
	for i := range 20 {
		values := make([]string, 64)
		for k := range values {
			values[k] = fmt.Sprintf(`"*%s%d*"`, strings.Repeat("a", 100), 64*i+k)
		}
		filters, numbers = append(filters, parse(t, `{"keyword": [`+strings.Join(values, ", ")+`]}`)), append(numbers, m.Add())
	}
	r := &filter.Reply{Sender: "mount"}
	for k := range 42 {
		r.Keywords = append(r.Keywords, fmt.Sprint(strings.Repeat("a", 99), k))
	}
	work := func() int {
		before := m.Work()
		m.Look(r)
		for i, f := range filters {
			m.Match(f, numbers[i], false)
		}
		return m.Work() - before
	}
	first, again := work(), work()
	if patterns := 20 * 64 * 42; first < patterns || again > 1000 {
		t.Errorf("the first time it took %d, then %d", first, again)
	}
	if n := testing.AllocsPerRun(10, func() { work() }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}
