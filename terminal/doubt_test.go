package terminal

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTheEndOfACommandIsInDoubtIfItMayHaveComeUnheard(t *testing.T) {
	for name, c := range map[string]struct {
		events []any // an event, a time that passes, or nil for a reply
		after  time.Duration
	}{
		"a broker that stays away":           {[]any{LinkState{Reason: "x"}}, awayGrace},
		"one that comes back, with a gap":    {[]any{LinkState{}, time.Second, LinkState{Up: true}, Gap{}}, time.Second + lostGrace},
		"told in the other order":            {[]any{LinkState{}, time.Second, Gap{}, LinkState{Up: true}}, time.Second + lostGrace},
		"one that comes back without a gap":  {[]any{LinkState{}, time.Second, LinkState{Up: true}}, 0},
		"a reply after the gap":              {[]any{Gap{}, time.Second, nil}, 0},
		"another gap after the reply":        {[]any{Gap{}, time.Second, nil, time.Minute, Gap{}}, time.Minute + time.Second + lostGrace},
		"a broker that goes again after all": {[]any{Gap{}, time.Second, LinkState{}}, time.Second + awayGrace},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, gave := time.Now(), time.Duration(0)
				d := &doubt{giveUp: func(error) { gave = time.Since(began) }}
				for _, e := range c.events {
					switch e := e.(type) {
					case nil:
						d.heard()
					case time.Duration:
						time.Sleep(e)
					default:
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
