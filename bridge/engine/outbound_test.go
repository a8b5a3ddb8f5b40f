package engine

import (
	"math/rand/v2"
	"testing"
)

func TestAnOutboundQueueCountsItsBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		o, k := &outbound{}, &usage{}
		for range 100 {
			f := make(Frame, rng.IntN(50))
			switch rng.IntN(4) {
			case 0:
				o.send(f)
			case 1:
				o.queueShared(f)
			case 2:
				o.countAll(k)
			default:
				if len(o.frames) > 0 {
					o.pop(k)
				}
			}
			var waiting, shared int
			for i, f := range o.frames {
				switch {
				case f.shared:
					shared += f.cost()
				case i > 0:
					waiting += f.cost()
				}
			}
			if want := entries(o); k.bytes != want {
				t.Fatalf("usage has %d bytes, want %d", k.bytes, want)
			}
			if o.directWaiting() != waiting || o.sharedBytes != shared {
				t.Fatalf("%d and %d are counted, want %d and %d", o.directWaiting(), o.sharedBytes, waiting, shared)
			}
		}
		if len(o.frames) > 0 {
			all := o.frames
			o.truncate(1, k)
			for len(o.frames) > 0 {
				o.pop(k)
			}
			if k.bytes != 0 || len(k.shared) != 0 {
				t.Fatalf("usage has %d bytes of %d frames yet", k.bytes, len(k.shared))
			}
			if o.directBytes != 0 || o.sharedBytes != 0 {
				t.Fatalf("%d and %d are left", o.directBytes, o.sharedBytes)
			}
			for _, f := range all {
				if f.Frame != nil {
					t.Fatal("a frame is kept that is out")
				}
			}
		}
	}
}

// entries returns the usage of a queue whose frames are all different.
func entries(o *outbound) (bytes int) {
	for _, f := range o.frames[:o.counted] {
		bytes += f.cost()
	}
	return bytes
}

func TestUsageCountsASharedFrameOnce(t *testing.T) {
	var k usage
	queues := make([]outbound, 10)
	shared := make(Frame, 1000)
	for i := range queues {
		queues[i].queueShared(shared)
		queues[i].send(make(Frame, 100))
		queues[i].countAll(&k)
	}
	if want := 1000 + 10*(100+2*frameCost); k.bytes != want {
		t.Errorf("usage has %d bytes, want %d", k.bytes, want)
	}
	for i := range queues[:9] {
		queues[i].pop(&k)
	}
	if want := 1000 + 10*100 + 11*frameCost; k.bytes != want {
		t.Errorf("while one is left, usage has %d bytes, want %d", k.bytes, want)
	}
	for i := range queues {
		queues[i].discard(&k)
	}
	if k.bytes != 0 || len(k.shared) != 0 {
		t.Errorf("usage has %d bytes of %d frames yet", k.bytes, len(k.shared))
	}
}
