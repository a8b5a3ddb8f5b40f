package amqpx_test

import (
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestTheBrokerSaysWhetherAQueueHasAConsumer(t *testing.T) {
	onEachVHost(t, func(t *testing.T, url string) {
		ch := testkit.OpenChannel(t, url)
		declare(t, ch, "unused", false)
		declare(t, ch, "used", false)
		declare(t, ch, "exclusive", true)
		for _, queue := range []string{"used", "exclusive"} {
			if _, err := ch.Consume(queue, queue, true, false, false, false, amqp.Table{}); err != nil {
				t.Fatal(err)
			}
		}
		w := tapped(t, url)
		for range 2 { // a refused question closes the channel of the questions
			for name, want := range map[string]amqpx.QueueUse{"unused": amqpx.Unused, "used": amqpx.InUse, "exclusive": amqpx.InUse, "missing": amqpx.NoQueue, "": amqpx.NoQueue} {
				use, logged := w.AskQueue(name)
				if use != want || logged != (name == "missing" || name == "exclusive") {
					t.Errorf("%q: %v, logged %v, want %v", name, use, logged, want)
				}
			}
		}
		if o := testkit.Receive(t, w.sendTo(t, "after", "unused")); o != amqpx.Confirmed {
			t.Errorf("then a message is %v", o)
		}
	})
}

func TestALinkThatIsDownDoesNotKnowWhetherAQueueHasAConsumer(t *testing.T) {
	b := newEmbedded(t)
	w := tapped(t, b.url())
	b.stop(t)
	w.await(t, false)
	if use, logged := w.AskQueue("tap"); use != amqpx.UseUnknown || logged {
		t.Errorf("it is %v, logged %v", use, logged)
	}
}
