package wsclient

import (
	"context"
	"testing"
)

// fill takes replies with a number, of so many bytes each.
func fill(c *Command, n, size int) {
	for range n {
		c.mu.Lock()
		c.keep(&Reply{Seq: uint64(c.replied + 1), Envelope: make([]byte, size)})
		c.mu.Unlock()
	}
}

func TestALoopOverRepliesGetsEachHoweverSlowItIs(t *testing.T) {
	c := &Command{state: Running, changed: make(chan struct{})}
	fill(c, 3, 10)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	want := uint64(0)
	for r := range c.Replies(ctx) {
		if want++; r.Seq != want {
			t.Fatalf("got reply %d, want %d", r.Seq, want)
		}
		switch want {
		case 1:
			fill(c, 10*maxReplies, 10)
			close(c.changed)
			c.changed = make(chan struct{})
		case 3 + 10*maxReplies:
			stop()
		}
	}
	if want != 3+10*maxReplies || c.LeftOut() != 0 || len(c.readers) != 0 {
		t.Errorf("got %d replies, %d were left out, there are %d loops", want, c.LeftOut(), len(c.readers))
	}
	fill(c, 1, 10)
	if result, _ := c.Result(); len(c.replies) != maxReplies || len(result.Replies) != maxReplies {
		t.Errorf("it keeps %d replies when nobody waits for them", len(c.replies))
	}
}

func TestRepliesForWhichThereIsNoRoomAreCounted(t *testing.T) {
	c := &Command{state: Running, changed: make(chan struct{})}
	fill(c, 1, 10)
	const size = 100 << 10
	n := 0
	var last *Reply
	for r := range c.Replies(t.Context()) {
		if n++; n == 1 {
			fill(c, 2*maxUnreadBytes/size, size)
			c.state = Done
			close(c.changed)
		}
		last = r
	}
	if c.size > maxUnreadBytes || c.LeftOut() == 0 || n+c.LeftOut() != c.replied || last.Seq != uint64(c.replied) {
		t.Errorf("got %d of %d replies, %d were left out, the last was %d", n, c.replied, c.LeftOut(), last.Seq)
	}
}
