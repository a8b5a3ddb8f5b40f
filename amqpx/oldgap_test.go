package amqpx

import (
	"testing"
	"time"
)

func TestAGapThatWasToldBeforeTheLinkWasMadeIsOld(t *testing.T) {
	for name, c := range map[string]struct {
		live uint64 // the offset from which on it is not the past
		made time.Time
		old  bool
	}{
		"of the past":                      {5, at(1000), true},
		"of the past, by this link itself": {5, at(15), false},
		"live":                             {0, at(1000), false},
	} {
		r := newReader()
		var gaps []Gap
		r.queue.OnGap = func(g Gap) { gaps = append(gaps, g) }
		r.linkMade = c.made
		r.stream.locate(100, c.live, true)
		r.read(0, "a", "begin", "end", "b")
		if len(gaps) != 1 || gaps[0].Replayed != c.old {
			t.Errorf("%s: the gaps are %+v", name, gaps)
		}
	}
}
