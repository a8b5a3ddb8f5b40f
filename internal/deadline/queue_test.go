package deadline

import (
	"fmt"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestDeadlinesComeInOrderAndOnce(t *testing.T) {
	var clock testkit.Clock
	d := New(clock.Now, clock.After)
	var got []string
	add := func(name string) *Entry { return &Entry{Due: func() { got = append(got, name) }} }
	a, b, c := add("a"), add("b"), add("c")
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	d.Set(a, at(300))
	d.Set(b, at(100))
	d.Set(c, at(200))
	d.Set(c, time.Time{})
	d.Set(a, at(50))
	clock.Pass(60 * time.Second)
	if fmt.Sprint(got) != "[a]" {
		t.Errorf("after a minute %v were due", got)
	}
	d.Set(a, at(90))
	clock.Pass(time.Hour)
	if fmt.Sprint(got) != "[a a b]" {
		t.Errorf("after an hour %v were due", got)
	}
	if n := clock.Timers(); n != 0 {
		t.Errorf("%d timers are left", n)
	}
	d.Set(b, at(10_000))
	d.End()
	d.Set(c, at(10_001))
	if n := clock.Timers(); n != 0 || b.place != 0 || c.place != 0 {
		t.Errorf("after the end %d timers are left", n)
	}
}
