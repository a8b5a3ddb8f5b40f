package unordered

import (
	"slices"
	"testing"
)

func TestTheLastElementTakesThePlaceOfTheRemovedOne(t *testing.T) {
	a, b, c := new(int), new(int), new(int)
	list := []*int{a, b, c}
	left := Remove(list, a)
	if !slices.Equal(left, []*int{c, b}) {
		t.Error("not the others are left")
	}
	if list[2] != nil {
		t.Error("what was removed is still held")
	}
	if left = Remove(left, a); len(left) != 2 {
		t.Error("what is not there was removed")
	}
}
