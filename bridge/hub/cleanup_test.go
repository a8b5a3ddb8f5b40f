package hub

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// left counts what the hub still holds for its v1 clients.
func (s *hubHarness) left() string {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Inflight.mu.Lock()
	defer h.Inflight.mu.Unlock()
	x := h.matcher
	x.apply(h.subs.takeChanges(), &Reply{}, nil) // as the next reply would
	return fmt.Sprint(len(h.groups), h.v1Clients, len(h.waiting), len(h.subs.all), len(x.bySender), len(x.any), len(x.mine), x.keywords,
		len(h.subs.byRoom), len(h.Inflight.callers), s.clock.Timers())
}

func TestNothingIsLeftOfClientsThatAreGone(t *testing.T) {
	s := newHarness(t)
	s.share()
	requests := []string{
		`{"op": "subscribe", "id": "%d", "filter": {"sender": "a"}, "throttle_ms": 50}`,
		`{"op": "subscribe", "id": "%d", "filter": {"commander": "me"}, "ordered": true}`,
		`{"op": "subscribe", "id": "%d", "filter": {"keyword": "x*"}, "snapshot": true}`,
		`{"op": "subscribe", "id": "%d", "since": {"epoch": "` + s.hub.Epoch + `", "seq": 1000000}}`,
		`{"op": "unsubscribe", "id": "%d"}`,
		`{"op": "unsubscribe", "id": "%d"}`,
		`{"op": "command", "id": "%d", "consumer": "dome", "command_string": "open"}`,
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
				l := s.dialAt([]string{"/", "/?silent=1", "/?sender=a&throttle_ms=20"}[random.IntN(3)])
				for range random.IntN(30) {
					s.tell(l, fmt.Sprintf(requests[random.IntN(len(requests))], random.IntN(5)))
				}
				s.hangUp(l)
			}
		})
	}
	all.Wait()
	close(stop)
	talking.Wait()
	const nothing = "0 0 0 0 0 0 0 0 0 0 0"
	s.hub.queue.close() // returns when everything is done
	if left := s.left(); left != nothing {
		t.Errorf("left are %s", left)
	}
}
