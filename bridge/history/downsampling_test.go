package history

import (
	"cmp"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// rawValue is a value as the test keeps it.
type rawValue struct {
	t    int64
	text string // as it should be told
}

// randomSeries draws a series: how its values look, how often they come, and what its clock does.
type randomSeries struct {
	random *rand.Rand
	value  func() string
	now    int64
	usual  int64 // milliseconds between values
	orders bool  // its times are in order
}

func newRandomSeries(random *rand.Rand) *randomSeries {
	s := &randomSeries{random: random, now: start.UnixMilli(), usual: int64(1 + random.IntN(5000)), orders: random.IntN(2) == 0}
	walk, digits := 0.0, random.IntN(17)
	whole := random.Int64N(1 << 62)
	s.value = [...]func() string{
		func() string { walk += random.NormFloat64(); return fmt.Sprintf("%.*f", digits, walk) },
		func() string { whole += random.Int64N(2001) - 1000; return fmt.Sprint(whole) },
		func() string { return fmt.Sprint(random.NormFloat64() * 1e-9) },
		func() string { return fmt.Sprint(random.IntN(3)) },
		func() string { return fmt.Sprintf("%de%d", random.Int64N(1e15), random.IntN(200)-100) },
		func() string { return pick(random, "null", "NaN", `"Infinity"`, "-Infinity", "1.50", "2e3", "-0.0") },
		func() string {
			return pick(random, "1", "-9223372036854775799", "9223372036854775799", "0.000000000000000001")
		},
	}[random.IntN(7)]
	return s
}

func pick(random *rand.Rand, all ...string) string { return all[random.IntN(len(all))] }

// next returns the time and the text of the next value.
func (s *randomSeries) next() (t int64, text string) {
	step := s.usual
	switch s.random.IntN(300) {
	case 0:
		step *= 1 + s.random.Int64N(500) // a pause
	case 1:
		step = 0
	case 2:
		if !s.orders {
			step = -s.random.Int64N(3600_000) // the clock is set back
		}
	}
	s.now += step + s.random.Int64N(1+s.usual/10)
	t = s.now
	if !s.orders && s.random.IntN(50) == 0 {
		t -= s.random.Int64N(200_000) // it comes late
	}
	return t, s.value()
}

// canonicalText is a value as an answer has it.
func canonicalText(text string) string {
	switch strings.Trim(text, `"`) {
	case "null":
		return "null"
	case "NaN", "Infinity", "-Infinity":
		return `"` + strings.Trim(text, `"`) + `"`
	}
	d, ok := parseDecimal([]byte(text))
	if !ok {
		panic(text)
	}
	return string(d.append(nil))
}

// modelBucket is a bucket as the test counts it.
type modelBucket struct {
	start, count   int64
	min, max, last string
}

// bucketsOf counts the values of a series in buckets.
func bucketsOf(all []rawValue, startOf func(t int64) int64) []modelBucket {
	byStart := map[int64]*modelBucket{}
	var starts []int64
	for _, v := range all {
		at := startOf(v.t)
		b := byStart[at]
		if b == nil {
			b = &modelBucket{start: at, min: "null", max: "null"}
			byStart[at] = b
			starts = append(starts, at)
		}
		b.count++
		b.last = v.text
		if v.text == "null" || v.text[0] == '"' {
			continue
		}
		if b.min == "null" || rational(v.text).Cmp(rational(b.min)) < 0 {
			b.min = v.text
		}
		if b.max == "null" || rational(v.text).Cmp(rational(b.max)) > 0 {
			b.max = v.text
		}
	}
	slices.Sort(starts)
	buckets := make([]modelBucket, 0, len(starts))
	for _, at := range starts {
		buckets = append(buckets, *byStart[at])
	}
	return buckets
}

func rational(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	return r
}

func TestEachBucketHasTheMinTheMaxTheLastAndTheCountOfItsValues(t *testing.T) {
	forEachSeed(t, 1, func(t *testing.T, random *rand.Rand) {
		s := New(Limits{Bytes: 1 << 30})
		series := newRandomSeries(random)
		var all []rawValue
		spanOf := []int64{600_000, 3600_000, 26 * 3600_000}[random.IntN(3)]
		begun, end, previous := series.now, int64(0), ""
		for n := 0; n < 12_000 && series.now < begun+spanOf; n++ {
			at, text := series.next()
			end = max(end, at)
			s.say("a", time.UnixMilli(at), `{"k": `+text+`}`)
			// What is null at first is no number yet.
			if now := canonicalText(text); now != previous && (now != "null" || len(all) > 0) {
				all = append(all, rawValue{at, now})
				previous = now
			}
			if random.IntN(5000) == 0 {
				checkQuery(t, s, random, series.orders, all, end)
			}
		}
		for range 10 {
			checkQuery(t, s, random, series.orders, all, end)
		}
	})
}

// checkQuery compares the answer to a random query with the values.
func checkQuery(t *testing.T, s *Store, random *rand.Rand, ordered bool, all []rawValue, now int64) {
	t.Helper()
	span := 1 + random.Int64N([]int64{10_000, 1200_000, keptMS - 120_000}[random.IntN(3)])
	q := Query{Keywords: []string{"a.k"}, To: now - random.Int64N(span), Points: 1 + random.IntN(2000)}
	q.From = max(q.To-span, now-keptMS+120_000)
	if q.From >= q.To {
		return
	}
	a := s.ask(t, q)
	if *a.Series[0].Kind == "number" && len(a.Evicted) == 0 { // one that was null only has states
		check(t, q, a.Series[0], ordered, all, now)
	}
}

func check(t *testing.T, q Query, got told, ordered bool, all []rawValue, now int64) {
	t.Helper()
	width, unit, fine := got.BucketMS, got.BucketMS, int64(0)
	if got.FineFrom != nil {
		fine, unit = *got.FineFrom, minuteMS
		recent := slices.IndexFunc(all, func(v rawValue) bool { return v.t > now-rawMS })
		if most := now - rawMS + minuteMS; ordered && len(all)-recent < maxChunks*20 && fine > most {
			t.Errorf("changes are known from %d on only, %d s before now", fine, (now-fine)/1000)
		}
	}
	startOf := func(t int64) int64 {
		switch {
		case width == 0:
			return t
		case t < fine:
			return t / minuteMS * minuteMS
		}
		return t / width * width
	}
	from, to := q.From, q.To+1
	if width > 0 {
		from, to = q.From/unit*unit, (q.To/width+1)*width
	}
	if from < now-keptMS {
		return // a part of its first bucket is too old
	}
	var within []rawValue
	var before *rawValue
	for _, v := range all {
		switch {
		case v.t >= from && startOf(v.t) < to:
			within = append(within, v)
		case v.t < from && (before == nil || v.t >= before.t):
			before = &v
		}
	}
	if width == 0 {
		checkChanges(t, got, q, ordered, before, within)
		return
	}
	compareBuckets(t, got, ordered, before, bucketsOf(within, startOf))
}

func compareBuckets(t *testing.T, got told, ordered bool, before *rawValue, want []modelBucket) {
	t.Helper()
	var have []modelBucket
	for i, at := range got.T {
		have = append(have, modelBucket{at, got.Count[i], string(got.Min[i]), string(got.Max[i]), string(got.Last[i])})
	}
	if before != nil {
		if len(have) == 0 || have[0].count != 0 {
			t.Errorf("%v does not begin with the value that held, %v (ordered %v, width %d, fine from %v, oldest %d)", have[:min(1, len(have))], *before, ordered, got.BucketMS, got.FineFrom, got.Oldest)
			return
		}
		if ordered && have[0].last != before.text {
			t.Errorf("the value that held is %s, want %s", have[0].last, before.text)
		}
		have = have[1:]
	}
	if !slices.EqualFunc(have, want, sameBucket) {
		for i := range min(len(have), len(want)) {
			if !sameBucket(have[i], want[i]) {
				t.Fatalf("ordered %v: bucket %d of %d (width %d, fine from %v) is %v, want %v", ordered, i, len(want), got.BucketMS, got.FineFrom, have[i], want[i])
			}
		}
		t.Fatalf("ordered %v width %d fine %v: there are %d buckets, want %v", ordered, got.BucketMS, got.FineFrom, len(have), want)
	}
}

func sameBucket(a, b modelBucket) bool {
	return a.start == b.start && a.count == b.count && a.last == b.last && a.min == b.min && a.max == b.max
}

// checkChanges compares the changes themselves.
func checkChanges(t *testing.T, got told, q Query, ordered bool, before *rawValue, within []rawValue) {
	t.Helper()
	slices.SortStableFunc(within, func(a, b rawValue) int { return cmp.Compare(a.t, b.t) })
	if before != nil && (len(within) == 0 || within[0].t > q.From) {
		within = slices.Insert(within, 0, *before)
	}
	// Among values out of order there may be some that are no change where they are told.
	within = slices.CompactFunc(within, func(a, b rawValue) bool { return a.text == b.text })
	var have []rawValue
	for i, at := range got.T {
		have = append(have, rawValue{at, string(got.Last[i])})
	}
	if !ordered && before != nil && len(have) > 0 && have[0].t < q.From {
		have[0] = within[0] // which value held is not certain if the clock was set back
	}
	for i := range min(len(have), len(within)) {
		if have[i] != within[i] {
			t.Fatalf("ordered %v: change %d of %d is %v, want %v", ordered, i, len(within), have[i], within[i])
		}
	}
	if len(have) != len(within) {
		t.Fatalf("ordered %v: there are %d changes, want %d", ordered, len(have), len(within))
	}
}
