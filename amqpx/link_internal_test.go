package amqpx

import (
	"strings"
	"testing"
)

func TestAWrongConfigurationIsRefusedBeforeAnythingIsDialled(t *testing.T) {
	long := strings.Repeat("x", 256)
	deliver := func(*Delivery) {}
	for want, cfg := range map[string]Config{
		"no exchange given":              {Queues: []Queue{{Name: "q", Deliver: deliver}}},
		"the exchange name is 256 bytes": {Exchange: long},
		"the exchange name is not valid": {Exchange: "\xff"},
		"the queue name is":              {Exchange: "x", Queues: []Queue{{Name: long, Deliver: deliver}}},
		`the queue "q" has no Deliver`:   {Exchange: "x", Queues: []Queue{{Name: "q"}}},
	} {
		cfg.URLs = []string{"amqp://localhost/"}
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
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
