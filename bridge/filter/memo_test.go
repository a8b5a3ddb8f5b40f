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

// cost returns what the match of a reply costs, the look at it included.
func cost(m *filter.Memo, f *filter.Filter, number int, r *filter.Reply) int {
	before := m.Work()
	m.Look(r)
	m.Match(f, number, false)
	return m.Work() - before
}

func TestWorkIsWhatMatchingCosts(t *testing.T) {
	text := strings.Repeat("a", 64)
	longest, long := strings.Repeat("a", 255), strings.Repeat("a", 256)
	r := &filter.Reply{Sender: text, RoutingKey: text, CommandID: text, Commander: text, Keywords: []string{text, text[:32]}}
	for _, test := range []struct {
		filter       string
		reply        *filter.Reply
		first, again int
	}{
		{`{}`, r, 2, 2},
		{`{"sender": "x"}`, r, 3, 3}, // a name needs no memo
		{`{"sender": "x*"}`, r, 8, 4},
		{`{"sender": ["x*", "y*"]}`, r, 11, 4},
		{`{"sender": "x*[yz]*"}`, r, 24, 4}, // each character by itself
		{`{"routing_key": "x.#"}`, r, 24, 4},
		{`{"commander": "x*"}`, r, 8, 4},
		{`{"command_id": "x*"}`, r, 6, 6}, // new with each command
		{`{"keyword": "x"}`, r, 8, 6},
		{`{"keyword": "x*"}`, r, 13, 6},
		{`{"keyword": "a*"}`, r, 9, 5}, // the first decides
		{`{"sender": "x*"}`, &filter.Reply{Sender: longest}, 13, 4},
		{`{"sender": "x*"}`, &filter.Reply{Sender: long}, 12, 12}, // too long for the memo
		{`{"keyword": "x*"}`, &filter.Reply{Keywords: []string{longest}}, 13, 4},
		{`{"keyword": "x*"}`, &filter.Reply{Keywords: []string{long}}, 14, 14},
	} {
		m, f := filter.NewMemo(100), parse(t, test.filter)
		n := m.Add()
		if first, again := cost(m, f, n, test.reply), cost(m, f, n, test.reply); first != test.first || again != test.again {
			t.Errorf("%s costs %d and then %d, want %d and %d", test.filter, first, again, test.first, test.again)
		}
	}
}

// memoized is the cost of a match whose result is in the memo.
const memoized = 4

func TestAFullMemoIsEmptied(t *testing.T) {
	m, f := filter.NewMemo(2), parse(t, `{"sender": "x*"}`)
	n := m.Add()
	for i, test := range []struct {
		sender string
		known  bool
	}{{"a", false}, {"b", false}, {"a", true}, {"b", true}, {"c", false}, {"c", true}, {"a", false}} {
		if got := cost(m, f, n, &filter.Reply{Sender: test.sender}) == memoized; got != test.known {
			t.Errorf("look %d at %s: in the memo is %v", i, test.sender, got)
		}
	}
}

// Each of so many filters needs two bits of each text.
func TestTheMemoryOfAMemoIsBounded(t *testing.T) {
	const filters, texts = 64 << 10, 1024        // 2048 words for each text, 2 Mi in all
	for _, before := range []bool{true, false} { // the texts were seen before there were so many filters
		m, f := filter.NewMemo(10*texts), parse(t, `{"sender": "x*"}`)
		number := m.Add()
		look := func(from, to int) (known int) {
			for i := from; i < to; i++ {
				if cost(m, f, number, &filter.Reply{Sender: fmt.Sprint("a", i)}) == memoized {
					known++
				}
			}
			return known
		}
		if before {
			look(0, texts)
		}
		for range filters - 1 {
			number = m.Add()
		}
		if look(0, texts+1); look(0, texts+1) != texts+1 {
			t.Errorf("seen before: %v: the memo is not as large as it may be", before)
		}
		look(texts+1, texts+2)
		if look(0, 1) != 0 {
			t.Errorf("seen before: %v: the memo is larger than it may be", before)
		}
	}
}

// The bits of a removed filter stay in the memo until many were removed.
func TestTheNumbersOfRemovedFiltersAreGivenOutAgainTogether(t *testing.T) {
	m := filter.NewMemo(10)
	add := func(want int) {
		t.Helper()
		if n := m.Add(); n != want {
			t.Errorf("the number is %d, want %d", n, want)
		}
	}
	for n := range 600 {
		add(n)
	}
	few := 256 + 600/2
	for n := range few - 1 {
		m.Remove(n)
	}
	add(600)
	m.Remove(600)
	add(600)
	for n := few - 2; n >= 0; n-- {
		add(n)
	}
	add(601)
}

func TestNumbersBeginAgainWhenNoFilterIsLeft(t *testing.T) {
	m := filter.NewMemo(10)
	for range 512 {
		m.Add()
	}
	for n := range 512 {
		m.Remove(n)
	}
	if n := m.Add(); n != 0 {
		t.Errorf("the number is %d", n)
	}
}
