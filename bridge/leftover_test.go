package bridge

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// left is what a bridge still knows of its v1 clients.
func (s *stage) left() string {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inflight.mu.Lock()
	defer h.inflight.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	x := h.index
	x.apply(h.shelf.takeChanges(), &reply{}, nil) // as the next reply would
	return fmt.Sprint(len(h.groups), h.v1s, len(h.waiting), len(h.shelf.all), len(x.bySender), len(x.any), len(x.mine), x.keywords,
		len(h.shelf.byRoom), len(h.inflight.callers), len(s.timers))
}

func TestNothingIsLeftOfClientsThatAreGone(t *testing.T) {
	s := newStage(t)
	s.share()
	requests := []string{
		`{"op": "subscribe", "id": "%d", "filter": {"sender": "a"}, "throttle_ms": 50}`,
		`{"op": "subscribe", "id": "%d", "filter": {"commander": "me"}, "ordered": true}`,
		`{"op": "subscribe", "id": "%d", "filter": {"keyword": "x*"}, "snapshot": true}`,
		`{"op": "subscribe", "id": "%d", "since": {"epoch": "` + s.hub.epoch + `", "seq": 1000000}}`,
		`{"op": "unsubscribe", "id": "%d"}`,
		`{"op": "unsubscribe", "id": "%d"}`,
		`{"op": "command", "id": "%d", "consumer": "dome", "command_string": "open"}`,
		`{"consumer": "dome", "command_string": "%d"}`,
		`{"op": "ping", "id": "%d"}`,
	}
	talking, stop := sync.WaitGroup{}, make(chan struct{})
	talking.Go(func() {
		for n := int64(1); ; n++ {
			select {
			case <-stop:
				return
			default:
				s.from([]string{"a", "b"}[n%2], n)
				s.pass(10 * time.Millisecond)
			}
		}
	})
	var all sync.WaitGroup
	for i := range uint64(8) {
		all.Go(func() {
			random := rand.New(rand.NewPCG(i, 3))
			for range 15 {
				conn, err := s.dialPlain([]string{"/", "/?silent=1", "/?sender=a&throttle_ms=20"}[random.IntN(3)])
				if err != nil {
					t.Error(err)
					return
				}
				for range random.IntN(30) {
					request := fmt.Sprintf(requests[random.IntN(len(requests))], random.IntN(5))
					if wsutil.WriteClientText(conn, []byte(request)) != nil {
						break // it was closed for having asked too much
					}
				}
				_ = conn.Close()
			}
		})
	}
	all.Wait()
	close(stop)
	talking.Wait()
	const nothing = "0 0 0 0 0 0 0 0 0 0 0"
	testkit.Eventually(t, catchUpPatience/2, "nothing is left", func() error {
		if left := s.left(); left != nothing {
			return fmt.Errorf("left are %s", left)
		}
		return nil
	})
}
