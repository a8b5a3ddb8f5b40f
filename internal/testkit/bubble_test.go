package testkit

import (
	"runtime"
	"testing"
	"time"
)

func TestABubbleHasOneProcessorAndItsOwnTime(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	Bubble(t, func(t *testing.T) {
		if n := runtime.GOMAXPROCS(0); n != 1 {
			t.Errorf("there are %d processors", n)
		}
		began := time.Now()
		<-time.After(time.Hour)
		if passed := time.Since(began); passed != time.Hour {
			t.Errorf("%v passed", passed)
		}
	})
	if n := runtime.GOMAXPROCS(0); n != before {
		t.Errorf("%d of %d processors are left", n, before)
	}
}
