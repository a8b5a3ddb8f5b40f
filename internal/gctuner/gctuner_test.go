package gctuner

import "testing"

func TestALargeHeapMayHoldLessGarbage(t *testing.T) {
	for live, want := range map[uint64]int{0: 100, 4 << 20: 100, 8 << 20: 100, 10 << 20: 80, 16 << 20: 50, 1 << 40: 50} {
		if got := percentFor(live); got != want {
			t.Errorf("with %d bytes in use GOGC is %d, want %d", live, got, want)
		}
	}
}

func TestMemoryIsGivenBackOnlyWhileLittleGarbageIsMade(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		what string
		heapStats
		made uint64 // since the last look
		want bool
	}{
		{"nothing to give back", heapStats{live: 4 * mib, objects: 4 * mib}, 0, false},
		{"garbage", heapStats{live: 4 * mib, objects: 6 * mib}, mib / 10, true},
		{"memory that is free", heapStats{live: 4 * mib, objects: 4 * mib, free: 2 * mib}, mib / 10, true},
		{"a busy program", heapStats{live: 4 * mib, objects: 6 * mib}, mib, false},
		{"little for so much in use", heapStats{live: 64 * mib, objects: 68 * mib}, 0, false},
		{"more in use than is left of it", heapStats{live: 64 * mib, objects: mib}, 0, false},
	} {
		c.allocated = c.made
		if got := c.idleSince(heapStats{}); got != c.want {
			t.Errorf("%s: %t, want %t", c.what, got, c.want)
		}
	}
}

func TestTheSizesOfTheHeapAreRead(t *testing.T) {
	h := readHeapStats()
	if h.objects == 0 || h.allocated < h.objects {
		t.Errorf("it is %+v", h)
	}
}
