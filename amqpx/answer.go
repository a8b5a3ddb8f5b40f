package amqpx

import (
	"context"
	"errors"
	"time"
)

// A broker may leave a request unanswered for ever: RabbitMQ does so when a quorum queue is
// to be consumed that has no leader. Its heartbeats come all the while, and the library
// waits for the answer without a limit. So while a session is opened the broker must say
// something else from time to time.

// requestTimeout is how long a request may take while a session is opened. Dialling has
// limits of its own, which are shorter.
const requestTimeout = 25 * time.Second

var errRequestTimeout = errors.New("a request was not answered")

// watchRequests gives up when the broker has said nothing for answerWithin, or a fifth longer.
func (s *session) watchRequests(open <-chan struct{}, giveUp context.CancelCauseFunc) {
	const looks = 5
	tick := time.NewTicker(requestTimeout / looks)
	defer tick.Stop()
	for silent := 0; silent <= looks; silent++ {
		select {
		case <-open:
			return
		case <-tick.C:
		}
		if s.active.Swap(false) {
			silent = 0
		}
	}
	giveUp(errRequestTimeout)
}
