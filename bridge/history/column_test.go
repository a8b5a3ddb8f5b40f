package history

import "testing"

// threeChunks returns a column of three chunks with a point each second; late is added to the time of the
// last point of the first chunk.
func threeChunks(a *arena, late int64) (c rawColumn, first, second *chunk) {
	for i := int64(1); c.chunks < 3; i++ {
		c.add(a, point{1000 * i, decimal{m: i * i * 7919 % 100_003}})
	}
	first = a.at(c.head)
	second = a.at(first.next)
	first.last += late
	return c, first, second
}

// A chunk goes once it is not needed for the time that is kept: not for the value that held when that began,
// and not for one that came out of order.
func TestAChunkExpiresWhenItIsNotNeeded(t *testing.T) {
	for name, late := range map[string]int64{"in order": 0, "out of order": 3_600_000} {
		for after, goes := range []bool{false, true} {
			a := newArena()
			c, first, second := threeChunks(&a, late)
			needed := max(first.last, second.first-1)
			if c.expire(&a, needed+int64(after)); c.chunks < 3 != goes {
				t.Errorf("%s: %d ms after the first was needed there are %d chunks", name, after, c.chunks)
			}
		}
	}
}

func TestAColumnKnowsSinceWhenItHasEverything(t *testing.T) {
	a := newArena()
	c, _, second := threeChunks(&a, 0)
	begins := second.first
	if c.evict(&a); c.since != begins || c.lost != begins {
		t.Errorf("it has everything since %d, and lost what was before %d: want %d", c.since, c.lost, begins)
	}
	c, first, second := threeChunks(&a, 3_600_000)
	begins = first.last + 1
	if c.expire(&a, begins+1); c.since != begins || c.lost != 0 {
		t.Errorf("with times out of order it has everything since %d, want %d; lost is %d", c.since, begins, c.lost)
	}
	if second.first >= begins {
		t.Error("the times are in order")
	}
	if c.clear(&a); c.chunks != 0 || a.evicted != 1 {
		t.Errorf("%d chunks are left, %d were evicted", c.chunks, a.evicted)
	}
}
