package bridge

import (
	"testing"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

func TestARoomStandsUnderEveryPathAboveUntilItsLastClientLeaves(t *testing.T) {
	rs := newRooms(func() *engine.Log { return new(engine.Log) })
	x, err := rs.enter("/live/x")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := rs.enter("/live/x"); again != x {
		t.Error("the second client is in another room")
	}
	y, _ := rs.enter("/live/y")
	for path, want := range map[string]int{"/": 2, "/live": 2, "/live/x": 1, "/live/y": 1, "/live/z": 0} {
		if got := len(rs.index[path]); got != want {
			t.Errorf("at and below %s are %d rooms, want %d", path, got, want)
		}
	}
	rs.leave(x)
	rs.leave(y)
	rs.leave(x)
	if len(rs.index) != 0 || len(rs.byPath) != 0 {
		t.Errorf("rooms without clients are left: %v", rs.index)
	}
}

func TestThereAreOnlySoManyRooms(t *testing.T) {
	rs := newRooms(func() *engine.Log { return new(engine.Log) })
	for i := range maxRooms {
		if _, err := rs.enter("/live/" + string(rune('0'+i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := rs.enter("/live/one more"); err != errTooManyRooms {
		t.Errorf("one more: %v", err)
	}
	if _, err := rs.enter("/live/0"); err != nil {
		t.Errorf("one that is there: %v", err)
	}
}
