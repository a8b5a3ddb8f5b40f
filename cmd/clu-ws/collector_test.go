package main

import "testing"

func TestTheCollectorLeavesLessFreeWhereMuchIsInUse(t *testing.T) {
	for live, want := range map[uint64]int{0: 100, 4 << 20: 100, 8 << 20: 100, 10 << 20: 80, 16 << 20: 50, 1 << 40: 50} {
		if got := collectorPercent(live); got != want {
			t.Errorf("with %d bytes in use it is %d, want %d", live, got, want)
		}
	}
}
