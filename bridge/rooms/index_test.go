package rooms

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

func TestARoomIsListedUnderEveryPathAboveUntilItsLastClientLeaves(t *testing.T) {
	rs := New(func() *engine.Log { return new(engine.Log) })
	x, err := rs.Enter("/live/x", "a")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := rs.Enter("/live/x", "a"); again != x {
		t.Error("the second client is in another room")
	}
	y, _ := rs.Enter("/live/y", "a")
	for path, want := range map[string]int{"/": 2, "/live": 2, "/live/x": 1, "/live/y": 1, "/live/z": 0} {
		if got := len(rs.index.At(path)); got != want {
			t.Errorf("at and below %s are %d rooms, want %d", path, got, want)
		}
	}
	if rooms, clients := rs.Len(); rooms != 2 || clients != 3 {
		t.Errorf("%d rooms have %d clients", rooms, clients)
	}
	rs.Leave(x)
	rs.Leave(y)
	if got := len(rs.index.At("/")); got != 1 {
		t.Errorf("%d rooms are left for the last client", got)
	}
	rs.Leave(x)
	if rooms, clients := rs.Len(); rooms != 0 || clients != 0 {
		t.Errorf("without a client %d rooms have %d", rooms, clients)
	}
	if len(rs.index) != 0 || len(rs.byPath) != 0 {
		t.Errorf("rooms without clients are left: %v", rs.index)
	}
}

func TestAValueOfSeveralRoomsIsListedOnceUnderEachPathAbove(t *testing.T) {
	x := PathIndex[int]{}
	x.Add(1, "/a/x", "/a/y", "/a", "/b/c/d")
	x.Add(2, "/b")
	x.Add(3)
	for path, want := range map[string][]int{"/": {1, 2}, "/a": {1}, "/a/x": {1}, "/a/y": {1}, "/b": {1, 2}, "/b/c": {1}, "/c": nil} {
		if got := x.At(path); !slices.Equal(got, want) {
			t.Errorf("at and below %s are %v, want %v", path, got, want)
		}
	}
	x.Remove(1, "/a/x", "/a/y", "/a", "/b/c/d")
	x.Remove(3)
	if len(x) != 2 || !slices.Equal(x.At("/b"), []int{2}) {
		t.Errorf("left are %v", x)
	}
}

func TestRoomsAreBoundedAndNoAddressHasMoreThanHalf(t *testing.T) {
	rs := New(func() *engine.Log { return new(engine.Log) })
	for i := range maxRooms / 2 {
		if _, err := rs.Enter("/live/"+strconv.Itoa(i), "greedy"); err != nil {
			t.Fatal(err)
		}
	}
	const words = "the clients of your address have 5000 of the 10000 rooms with clients that this bridge allows, and 5000 are free"
	if _, err := rs.Enter("/live/more", "greedy"); err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("one more: %v", err)
	}
	if _, err := rs.Enter("/live/0", "greedy"); err != nil {
		t.Errorf("one that is there: %v", err)
	}
	if _, err := rs.Enter("/live/more", "honest"); err != nil {
		t.Errorf("another address: %v", err)
	}
	rs.Leave(rs.byPath["/live/1"])
	rs.Leave(rs.byPath["/live/2"])
	if _, err := rs.Enter("/live/again", "greedy"); err != nil {
		t.Errorf("after two rooms were left: %v", err)
	}
}
