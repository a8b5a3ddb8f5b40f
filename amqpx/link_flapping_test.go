package amqpx_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestALinkThatBreaksAsSoonAsItIsMadeIsDownUntilItLasts(t *testing.T) {
	t.Parallel()
	n := newEmbedded(t)
	lines := make(logged, 1000)
	w := run(t, amqpx.Config{URLs: []string{n.url()}, Logger: slog.New(slog.NewTextHandler(lines, nil))})
	const words = "breaks as soon as it is made"
	for range 3 {
		w.await(t, true)
		n.drop(t)
		w.await(t, false)
	}
	// It carries messages although its state is down.
	carries := func() {
		testkit.Eventually(t, testkit.Patience, "the link carries messages", func() error {
			if o := testkit.Receive(t, w.send(t, "reply.me", "a")); o != amqpx.Confirmed {
				return errors.New(o.String())
			}
			return nil
		})
	}
	for range 2 {
		carries()
		if s := w.State(); s.Up || !strings.Contains(s.Err.Error(), words) {
			t.Errorf("the state is %+v", s)
		}
		n.drop(t)
		if s := testkit.Receive(t, w.states); s.Up || !strings.Contains(s.Err.Error(), words) {
			t.Errorf("the state is %+v", s)
		}
	}
	carries()
	stands := time.Now()
	w.await(t, true)
	if held := time.Since(stands); held > 30*time.Second { // on a crowded machine
		t.Errorf("it took %v to be up", held)
	}
	// Once up, it is a link like any other.
	n.drop(t)
	if s := testkit.Receive(t, w.states); s.Up || strings.Contains(s.Err.Error(), words) {
		t.Errorf("the state is %+v", s)
	}
	w.await(t, true)
	w.stop()
	<-w.ended
	close(lines)
	counts := map[string]int{}
	for line := range lines {
		for _, text := range []string{words, `msg="linked to the broker"`} {
			if strings.Contains(line, text) {
				counts[text]++
			}
		}
	}
	if counts[words] != 1 || counts[`msg="linked to the broker"`] != 5 {
		t.Errorf("logged %v", counts)
	}
}
