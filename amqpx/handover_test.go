package amqpx_test

import (
	"fmt"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// tellLateHandover reports whether the link found that the broker had not dropped the consumer of its last connection within
// the second for which it waits. It then reports a gap in a kept queue, in which nothing need be missing.
func (l *lines) tellLateHandover() bool {
	return len(l.with("the broker has not noticed yet that the last connection broke")) > 0
}

// awaitNoConsumer waits until the broker has dropped the consumer of the kept queue of a link that is gone.
func awaitNoConsumer(t *testing.T, ch *amqp.Channel) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "the broker has noticed", func() error {
		q, err := ch.QueueDeclarePassive("link_kept", true, false, false, false, nil)
		if err == nil && q.Consumers > 0 {
			err = fmt.Errorf("there are %d consumers", q.Consumers)
		}
		return err
	})
}

// awaitAcknowledged waits until the link has acknowledged all that its kept queue gave it. A link that is stopped at once might
// not get to that on a busy machine, and the next one would get it again.
func awaitAcknowledged(t *testing.T, n *testkit.Node, vhost string) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "all is acknowledged", func() error {
		held := n.Eval(t, fmt.Sprintf(`
			{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"%s">>, queue, <<"link_kept">>)),
			{ok, {_, Held}, _} = ra:local_query(amqqueue:get_pid(Q), fun rabbit_fifo:query_messages_checked_out/1),
			integer_to_binary(Held).`, vhost))
		if held != "0" {
			return fmt.Errorf("%s are not", held)
		}
		return nil
	})
}

// publishMany publishes numbers like publish, and waits for the confirms at the end.
func publishMany(t *testing.T, ch *amqp.Channel, from, to int) {
	t.Helper()
	var confirms []*amqp.DeferredConfirmation
	for n := from; n <= to; n++ {
		text := fmt.Sprint(n)
		c, err := ch.PublishWithDeferredConfirm("test", "reply.me", false, false, amqp.Publishing{MessageId: text, Body: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		confirms = append(confirms, c)
	}
	for i, c := range confirms {
		if !c.Wait() {
			t.Fatalf("%d is not confirmed", from+i)
		}
	}
}
