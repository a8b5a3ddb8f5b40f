package engine

import (
	"math"
	"testing"
)

func TestTheBucketWorksAtAnyRate(t *testing.T) {
	for _, rate := range []int{1, 3, 200, 300_000_000, math.MaxInt32, math.MaxInt} {
		now := tick(1)
		b := newRateLimiter(rate, now)
		if b.tokens <= 0 {
			t.Fatalf("%d a second: a client that has just come may send %d", rate, b.tokens)
		}
		for _, later := range []tick{1, 2, 5, 1000, 1 << 31} {
			now += later
			if !b.allow(rate, now) {
				t.Errorf("%d a second: rejected after %d ticks", rate, later)
			}
			if b.tokens < 0 || int64(b.tokens) >= maxTokens(rate) {
				t.Errorf("%d a second: %d are left of %d", rate, b.tokens, maxTokens(rate))
			}
		}
	}
}

func TestTheBucketEmptiesAndRefills(t *testing.T) {
	b := newRateLimiter(4, 1)
	for i := range 4 * burstSeconds {
		if !b.allow(4, 1) {
			t.Fatalf("message %d is rejected", i)
		}
	}
	if b.allow(4, 1) {
		t.Error("more than the burst is let through")
	}
	if !b.allow(4, 2) || b.allow(4, 2) {
		t.Error("a quarter of a second does not earn one message of four a second")
	}
}

func TestAChargeTakesNoMoreThanThereIs(t *testing.T) {
	b := newRateLimiter(4, 1)
	b.charge(30)
	if b.tokens != 10 {
		t.Errorf("%d are left of 40, want 10", b.tokens)
	}
	b.charge(math.MaxInt)
	if b.tokens != 0 {
		t.Errorf("%d are left, want none", b.tokens)
	}
	if !b.allow(4, 2) {
		t.Error("the refilled bucket rejects")
	}
}
