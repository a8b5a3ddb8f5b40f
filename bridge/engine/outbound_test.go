package engine

import (
	"math/rand/v2"
	"testing"
)

func TestAnOutboundQueueCountsWhatItHolds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		o := &outbound{}
		for range 100 {
			f := make(Frame, rng.IntN(50))
			switch rng.IntN(5) {
			case 0:
				o.send(f)
			case 1:
				o.lend(f)
			case 2:
				o.miss(1)
			case 3:
				if len(o.frames) > 0 && o.frames[0].missed > 0 {
					o.notice(f)
				}
			default:
				if len(o.frames) > 0 {
					o.next()
				}
			}
			var waiting, lent int
			for i, f := range o.frames {
				switch {
				case f.lent:
					lent += f.cost()
				case i > 0:
					waiting += f.cost()
				}
			}
			if o.waiting != waiting || o.lent != lent {
				t.Fatalf("%d and %d are counted, want %d and %d", o.waiting, o.lent, waiting, lent)
			}
		}
		if len(o.frames) > 0 {
			all := o.frames
			o.keepFirst()
			for len(o.frames) > 0 {
				o.next()
			}
			if o.waiting != 0 || o.lent != 0 {
				t.Fatalf("%d and %d are left", o.waiting, o.lent)
			}
			for _, f := range all {
				if f.Frame != nil {
					t.Fatal("a frame is kept that is out")
				}
			}
		}
	}
}
