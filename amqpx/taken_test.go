package amqpx

import (
	"log/slog"
	"testing"
	"time"
)

func TestAMessageThatIsLostOnItsWayFromAQueueThatLivesOnIsInTheGap(t *testing.T) {
	var gaps []Gap
	cs := newConsumerState(Queue{OnGap: func(g Gap) { gaps = append(gaps, g) }}, 10, slog.New(slog.DiscardHandler))
	bound := time.Now().Add(-time.Hour) // it was sent since
	cs.boundAt, cs.completeUntil = bound, bound.Add(time.Minute)
	lost := time.Now()
	cs.noteLoss()
	cs.reportPendingGap()
	if len(gaps) != 1 || gaps[0].From.Before(bound) || gaps[0].From.After(lost) || gaps[0].To.Before(lost.Round(0)) {
		t.Errorf("the gaps are %v; it was lost at %v", gaps, lost)
	}
}
