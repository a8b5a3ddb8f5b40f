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

// answerWithin is how long a request may take while a session is opened. Dialling has
// limits of its own, which are shorter.
const answerWithin = 25 * time.Second

var errUnanswered = errors.New("a request was not answered")

// awaitAnswers gives up when the broker has said nothing for answerWithin, or a fifth longer.
func (s *session) awaitAnswers(open <-chan struct{}, giveUp context.CancelCauseFunc) {
	const looks = 5
	tick := time.NewTicker(answerWithin / looks)
	defer tick.Stop()
	for silent := 0; silent <= looks; silent++ {
		select {
		case <-open:
			return
		case <-tick.C:
		}
		if s.spoke.Swap(false) {
			silent = 0
		}
	}
	giveUp(errUnanswered)
}
