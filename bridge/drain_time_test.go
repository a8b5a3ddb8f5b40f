package bridge

import (
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestADrainServesOnForItsDelayAndUntilNothingIsAwaited(t *testing.T) {
	for name, c := range map[string]struct {
		drain   Drain
		awaited time.Duration // until when results are awaited
		clients int
		want    time.Duration
	}{
		"nothing to wait for":              {Drain{}, 0, 10, 0},
		"a delay":                          {Drain{Delay: 5 * time.Second}, 0, 10, 5 * time.Second},
		"a result":                         {Drain{}, 3 * time.Second, 10, 3 * time.Second},
		"a result within the delay":        {Drain{Delay: 5 * time.Second}, 3 * time.Second, 10, 5 * time.Second},
		"a result after the delay":         {Drain{Delay: 5 * time.Second}, 7 * time.Second, 10, 7 * time.Second},
		"a result that does not come":      {Drain{}, time.Hour, 0, 22500 * time.Millisecond},
		"and clients that need their time": {Drain{}, time.Hour, 3000, 16500 * time.Millisecond},
		"and too many of them":             {Drain{}, time.Hour, 1e6, 11250 * time.Millisecond},
		"a delay that leaves no time":      {Drain{Delay: time.Minute, Timeout: 4 * time.Second}, 0, 0, 2 * time.Second},
	} {
		testkit.Bubble(t, func(t *testing.T) {
			start := time.Now()
			awaited := func() int { return int(max(0, c.awaited-time.Since(start))) }
			c.drain.setDefaults()
			c.drain.awaitQuiet(awaited, func() int { return c.clients })
			if took := time.Since(start); took < c.want || took > c.want+2*shedEvery {
				t.Errorf("%s: clients are served on for %v, and should for %v", name, took, c.want)
			}
		})
	}
}
