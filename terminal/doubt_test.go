package terminal

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestACommandIsGivenUpIfNothingIsHeardForLong(t *testing.T) {
	for name, c := range map[string]struct {
		events []any // a state of the link, or a time that passes
		after  time.Duration
	}{
		"a broker that stays away":  {[]any{LinkState{Reason: "x"}}, awayGrace},
		"one that comes back":       {[]any{LinkState{}, time.Second, LinkState{Up: true}}, 0},
		"one that goes again":       {[]any{LinkState{}, time.Second, LinkState{Up: true}, time.Minute, LinkState{}}, time.Minute + time.Second + awayGrace},
		"one that is told of twice": {[]any{LinkState{}, time.Second, LinkState{}}, time.Second + awayGrace},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, gave := time.Now(), time.Duration(0)
				d := &doubt{giveUp: func(error) { gave = time.Since(began) }}
				for _, e := range c.events {
					switch e := e.(type) {
					case time.Duration:
						time.Sleep(e)
					case LinkState:
						d.event(e)
					}
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				if gave != c.after {
					t.Errorf("it was given up after %v, want %v", gave, c.after)
				}
				d.end()
			})
		})
	}
}
