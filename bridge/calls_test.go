package bridge

import (
	"testing"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// The first one's asker may be slower than the second one's request.
func TestACallWhoseCommandIDIsFreeAgainIsNotForgottenWithTheOneBefore(t *testing.T) {
	calls := newCalls()
	ends := &reply{Reply: filter.Reply{CommandID: "again", Code: ":"}, frame: engine.Text("{}")}
	first, wrong := calls.add("again")
	if wrong != nil {
		t.Fatal(wrong)
	}
	calls.take(ends)
	second, wrong := calls.add("again")
	if wrong != nil {
		t.Fatal(wrong)
	}
	calls.forget("again", first)
	calls.take(ends)
	if second.status != "done" {
		t.Errorf("the second one's status is %s", second.status)
	}
}
