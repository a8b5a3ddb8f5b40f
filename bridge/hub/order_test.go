package hub

import (
	"strconv"
	"testing"
)

func orderedReply(key string, order int64) *Reply {
	return &Reply{Ordered: true, OrderKey: key, Order: order}
}

func TestAReplyIsStaleBehindAHigherOneOfItsKey(t *testing.T) {
	var marks orderMarks
	if marks.stale(orderedReply("a", 1)) {
		t.Error("the first reply is stale")
	}
	marks.note(orderedReply("a", 5))
	marks.note(orderedReply("a", 3))
	marks.note(&Reply{OrderKey: "a", Order: 9}) // it has no place in the order
	for _, test := range []struct {
		reply *Reply
		stale bool
	}{
		{orderedReply("a", 4), true},
		{orderedReply("a", 5), false}, // the same one again: another bridge may have numbered it
		{orderedReply("a", 6), false},
		{orderedReply("b", 1), false},
		{&Reply{OrderKey: "a", Order: 1}, false},
	} {
		if got := marks.stale(test.reply); got != test.stale {
			t.Errorf("%s %d is stale: %v", test.reply.OrderKey, test.reply.Order, got)
		}
	}
}

func TestOrderKeysAreBounded(t *testing.T) {
	var marks orderMarks
	for i := range maxOrderKeys + 1 {
		marks.advance(strconv.Itoa(i), 5)
	}
	if len(marks) != maxOrderKeys || marks.stale(orderedReply(strconv.Itoa(maxOrderKeys), 1)) {
		t.Errorf("%d keys are known", len(marks))
	}
	marks.advance("0", 6)
	if !marks.stale(orderedReply("0", 5)) {
		t.Error("a known key no longer advances")
	}
}
