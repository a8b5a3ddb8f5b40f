package access

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestOnlySoManyNamesAreBlocked(t *testing.T) {
	var clock testkit.Clock
	l := NewBlockList(clock.Now)
	for i := range MaxBlocks {
		if !l.Add(strings.Repeat("x", i+1), MaxBlock) {
			t.Fatalf("number %d is not blocked", i)
		}
	}
	if l.Add("one more", MaxBlock) {
		t.Error("there is no bound")
	}
	clock.Pass(MaxBlock)
	if !l.Add("one more", MaxBlock) || len(l.until) != 1 {
		t.Errorf("%d blocks are left after their time", len(l.until))
	}
	if l.Refusal(&Principal{Name: "x"}) != nil || l.Refusal(&Principal{Name: "one more"}) == nil {
		t.Error("the wrong names are blocked")
	}
}
