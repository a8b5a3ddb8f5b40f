package amqpx_test

import (
	"errors"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// No sentinel shows that a single binding is gone.
func TestABindingThatIsRemovedAloneIsMadeAgain(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(keptFor(time.Minute))}})
	w.await(t, true)
	ch := client(t, url)
	keepExchange(t, ch)
	if err := ch.ExchangeUnbind("link_kept_gate", "reply.#", "test", false, nil); err != nil {
		t.Fatal(err)
	}
	publish(t, ch, 1)
	testkit.Eventually(t, testkit.Patience, "a message is heard again", func() error {
		publish(t, ch, 2)
		if len(h.all()) == 0 {
			return errors.New("nothing was heard")
		}
		return nil
	})
	if first := h.all()[0]; first.number != 2 {
		t.Errorf("the binding was not removed: %+v was heard", first)
	}
	if s := w.State(); !s.Up {
		t.Errorf("the link broke: %+v", s)
	}
}
