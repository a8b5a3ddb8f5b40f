package inorder

import (
	"slices"
	"testing"
)

func TestMessagesCarryOnInTheirOrderWhateverTheOrderOfDecisions(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}} {
		var q Queue
		var done []int
		entries := []*Entry{q.Add(1), q.Add(1), q.Add(1)}
		for _, i := range order {
			q.Decided(entries[i], func() { done = append(done, i) })
		}
		if !slices.Equal(done, []int{0, 1, 2}) || !q.Empty() || q.bytes != 0 {
			t.Errorf("decided in the order %v, they carried on as %v; %d bytes are left", order, done, q.bytes)
		}
	}
}

// A message that has waited, and then needs a decision of its own, keeps its place.
func TestAMessageThatNeedsADecisionWhenItsTurnComesKeepsItsPlace(t *testing.T) {
	var q Queue
	var done []string
	first, second, third := q.Add(1), q.Add(1), q.Add(1)
	q.Decided(second, func() {
		done = append(done, "second is asked about")
		q.Retain(second)
	})
	q.Decided(third, func() { done = append(done, "third") })
	q.Decided(first, func() { done = append(done, "first") })
	if want := []string{"first", "second is asked about"}; !slices.Equal(done, want) {
		t.Fatalf("until the second is decided: %q", done)
	}
	q.Decided(second, func() { done = append(done, "second") })
	if want := []string{"first", "second is asked about", "second", "third"}; !slices.Equal(done, want) || !q.Empty() {
		t.Errorf("they carried on as %q", done)
	}
	// The same if it is decided before it has returned.
	again := q.Add(1)
	q.Decided(again, func() {
		q.Retain(again)
		q.Decided(again, func() { done = append(done, "again") })
	})
	if done[len(done)-1] != "again" || !q.Empty() {
		t.Errorf("they carried on as %q", done)
	}
}

func TestWhatWaitsForDecisionsIsBounded(t *testing.T) {
	var q Queue
	for i := range maxWaiting {
		if q.Add(1) == nil {
			t.Fatalf("the message %d does not wait", i)
		}
	}
	if q.Add(0) != nil {
		t.Error("too many wait")
	}
	var long Queue
	if long.Add(2*maxBytes) == nil {
		t.Error("a single long one does not wait")
	}
	if long.Add(1) != nil {
		t.Error("another waits behind too many bytes")
	}
}
