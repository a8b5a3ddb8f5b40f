package amqpx

import (
	"strings"
	"testing"
)

func TestANameThatAMQPCannotCarryIsRefusedBeforeAnythingIsDialled(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, cfg := range []Config{{Exchange: long}, {Exchange: "\xff"}, {Queues: []Queue{{Name: long}}}} {
		cfg.URLs = []string{"amqp://localhost/"}
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v is accepted", cfg)
		}
	}
}

func TestTheBackoffGrowsToItsLimit(t *testing.T) {
	b := backoff{jitter: randomBelow}
	want := firstPause
	for range 12 {
		if got := b.next(); got < want/2 || got > want {
			t.Errorf("a pause of %v, want %v to %v", got, want/2, want)
		}
		want = min(2*want, lastPause)
	}
	b.reset()
	if got := b.next(); got > firstPause {
		t.Errorf("after reset a pause of %v", got)
	}
}
