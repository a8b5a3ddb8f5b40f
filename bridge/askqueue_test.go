package bridge

import (
	"slices"
	"testing"
)

func TestMessagesCarryOnInTheirOrderWhateverTheOrderOfDecisions(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}} {
		var q askQueue
		var done []int
		entries := []*askEntry{q.add(1), q.add(1), q.add(1)}
		for _, i := range order {
			q.decided(entries[i], func() { done = append(done, i) })
		}
		if !slices.Equal(done, []int{0, 1, 2}) || !q.empty() || q.bytes != 0 {
			t.Errorf("decided in the order %v, they carried on as %v; %d bytes are left", order, done, q.bytes)
		}
	}
}

// A message that has waited, and then needs a decision of its own, keeps its place.
func TestAMessageThatNeedsADecisionWhenItsTurnComesKeepsItsPlace(t *testing.T) {
	var q askQueue
	var done []string
	first, second, third := q.add(1), q.add(1), q.add(1)
	q.decided(second, func() {
		done = append(done, "second is asked about")
		q.retain(second)
	})
	q.decided(third, func() { done = append(done, "third") })
	q.decided(first, func() { done = append(done, "first") })
	if want := []string{"first", "second is asked about"}; !slices.Equal(done, want) {
		t.Fatalf("until the second is decided: %q", done)
	}
	q.decided(second, func() { done = append(done, "second") })
	if want := []string{"first", "second is asked about", "second", "third"}; !slices.Equal(done, want) || !q.empty() {
		t.Errorf("they carried on as %q", done)
	}
	// The same if it is decided before it has returned.
	again := q.add(1)
	q.decided(again, func() {
		q.retain(again)
		q.decided(again, func() { done = append(done, "again") })
	})
	if done[len(done)-1] != "again" || !q.empty() {
		t.Errorf("they carried on as %q", done)
	}
}

func TestWhatWaitsForDecisionsIsBounded(t *testing.T) {
	var q askQueue
	for i := range maxAskedWaiting {
		if q.add(1) == nil {
			t.Fatalf("the message %d does not wait", i)
		}
	}
	if q.add(0) != nil {
		t.Error("too many wait")
	}
	var long askQueue
	if long.add(2*maxAskedBytes) == nil {
		t.Error("a single long one does not wait")
	}
	if long.add(1) != nil {
		t.Error("another waits behind too many bytes")
	}
}

func TestTheAnswersAboutSeveralRoomsAreNamedByThem(t *testing.T) {
	for _, c := range []struct {
		rooms []string
		data  []string
		want  string
	}{
		{[]string{"/a"}, []string{`1`}, `1`}, {[]string{"/a"}, []string{""}, ``}, {nil, []string{`{"a": 1}`}, `{"a": 1}`},
		{[]string{"/a", "/b"}, []string{`1`, ``}, `{"/a":1}`}, {[]string{"/a", "/b"}, []string{``, ``}, ``},
	} {
		var data [][]byte
		for _, text := range c.data {
			if text == "" {
				data = append(data, nil)
			} else {
				data = append(data, []byte(text))
			}
		}
		if got := string(joinData(c.rooms, data)); got != c.want {
			t.Errorf("%v %q: %s, want %s", c.rooms, c.data, got, c.want)
		}
	}
}
