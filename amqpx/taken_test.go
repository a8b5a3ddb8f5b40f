package amqpx

import (
	"log/slog"
	"testing"
	"time"
)

func TestAMessageThatIsLostOnItsWayFromAQueueThatLivesOnIsInTheGap(t *testing.T) {
	var gaps []Gap
	in := newIntake(Queue{OnGap: func(g Gap) { gaps = append(gaps, g) }}, 10, slog.New(slog.DiscardHandler))
	bound := time.Now().Add(-time.Hour) // it was sent since
	in.bound, in.clear = bound, bound.Add(time.Minute)
	lost := time.Now()
	in.lostTaken()
	in.tell()
	if len(gaps) != 1 || gaps[0].From.Before(bound) || gaps[0].From.After(lost) || gaps[0].To.Before(lost.Round(0)) {
		t.Errorf("the gaps are %v; it was lost at %v", gaps, lost)
	}
}
