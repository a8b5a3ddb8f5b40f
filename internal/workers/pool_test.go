package workers

import (
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestWorkersRunABoundedNumberInOrder(t *testing.T) {
	w := Pool{Max: 2, MaxWaiting: 2}
	release, began := make(chan struct{}), make(chan int, 10)
	accepted := 0
	for i := range 6 {
		if w.Do(func() { began <- i; <-release }) {
			accepted++
		}
	}
	if accepted != 4 {
		t.Errorf("%d of 6 are accepted, want 2 that run and 2 that wait", accepted)
	}
	first := testkit.Receive(t, began) + testkit.Receive(t, began)
	if first != 0+1 || len(began) > 0 {
		t.Errorf("others than the first two began")
	}
	release <- struct{}{}
	if i := testkit.Receive(t, began); i != 2 {
		t.Errorf("then %d began", i)
	}
	close(release)
	testkit.Receive(t, began)
	testkit.WaitUntil(t, "the workers have ended", func() bool { return w.Running() == 0 })
}
