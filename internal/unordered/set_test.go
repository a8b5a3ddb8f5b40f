package unordered

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestASetHasWhatWasAddedAndNotRemoved(t *testing.T) {
	var s Set[int]
	has := map[int]bool{}
	for step := range 20_000 {
		// It becomes long and short again, many times.
		if v := rand.IntN(200); has[v] || step/1000%2 == 1 {
			s.Remove(v)
			delete(has, v)
		} else {
			s.Add(v)
			has[v] = true
		}
		if len(s.List()) != len(has) || s.places != nil && len(has) <= searchMost/2 {
			t.Fatalf("it has %d elements, want %d", len(s.List()), len(has))
		}
	}
	for v := range has {
		if !slices.Contains(s.List(), v) {
			t.Errorf("it lacks %d", v)
		}
	}
	for v := range has {
		s.Remove(v)
	}
	if len(s.List()) != 0 || s.places != nil {
		t.Errorf("without an element it has %v, %v", s.List(), s.places)
	}
}

func TestALongSetKnowsThePlacesOfItsElements(t *testing.T) {
	var s Set[int]
	for v := range 10 * searchMost {
		s.Add(v)
	}
	s.Remove(3)
	for i, v := range s.List() {
		if s.places[v] != i {
			t.Errorf("%d is at %d, not at %d", v, i, s.places[v])
		}
	}
	if _, left := s.places[3]; left || len(s.places) != len(s.List()) {
		t.Errorf("it knows %d places of %d elements", len(s.places), len(s.List()))
	}
}
