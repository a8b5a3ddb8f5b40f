package amqpx_test

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// userWithoutSentinel makes a user of a new virtual host that may do everything but declare a sentinel.
func userWithoutSentinel(t *testing.T, n *testkit.Node, user string) (url, vhost string) {
	t.Helper()
	url = n.NewVHost(t)
	vhost = url[strings.LastIndex(url, "/")+1:]
	n.AddUser(t, user, "secret")
	n.SetPermissions(t, vhost, user, "^(test|link_replies)$", ".*", ".*")
	return strings.Replace(url, "guest:guest", user+":secret", 1), vhost
}

func TestAUserNamedLikeTheExchangeMaySendWithoutASentinel(t *testing.T) {
	t.Parallel()
	url, _ := userWithoutSentinel(t, testkit.RabbitMQ(t), "test")
	w := run(t, amqpx.Config{URLs: []string{url}})
	w.await(t, true)
	if got := testkit.Receive(t, w.send(t, "reply.me", "x")); got != amqpx.Confirmed {
		t.Errorf("it ended as %v", got)
	}
}

func TestADeniedRoutingKeyBreaksTheLinkOnceAndStopsNoOther(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	for name, denied := range map[string]bool{"with a sentinel": false, "without a sentinel": true} {
		t.Run(name, func(t *testing.T) {
			user := "topical-" + strings.ReplaceAll(name, " ", "-")
			url, vhost := userWithoutSentinel(t, n, user)
			if !denied {
				n.SetPermissions(t, vhost, user, ".*", ".*", ".*")
			}
			// RabbitMQ 4.3 accepts topic permissions only for an exchange that exists.
			ch := testkit.OpenChannel(t, n.URL()+vhost)
			if err := ch.ExchangeDeclare("test", "topic", false, true, false, false, nil); err != nil {
				t.Fatal(err)
			}
			keepExchange(t, ch)
			n.SetTopicPermissions(t, vhost, user, "test", `^reply\.me$`, ".*")
			w := run(t, amqpx.Config{URLs: []string{url}})
			w.await(t, true)
			if got := testkit.Receive(t, w.send(t, "command.it's", "x")); got != amqpx.Unknown {
				t.Errorf("the first one: %v", got)
			}
			w.await(t, false)
			w.await(t, true)
			err := w.Publish(amqpx.Message{Key: "command.it's"}, func(o amqpx.Outcome) { t.Errorf("the second one was sent: %v", o) })
			if err == nil || !strings.Contains(err.Error(), `"command.it's"`) {
				t.Errorf("the second one: %v", err)
			}
			if got := testkit.Receive(t, w.send(t, "reply.me", "x")); got != amqpx.Confirmed {
				t.Errorf("another one: %v", got)
			}
		})
	}
}

func TestAnExchangeThatHasTheNameOfTheSentinelIsLeftAlone(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	ch := testkit.OpenChannel(t, url)
	const durable, autoDelete, internal, noWait = true, false, false, false
	if err := ch.ExchangeDeclare("link_replies_sentinel", "topic", durable, autoDelete, internal, noWait, nil); err != nil {
		t.Fatal(err)
	}
	run(t, amqpx.Config{URLs: []string{url}}).await(t, true)
	if err := ch.ExchangeDeclarePassive("link_replies_sentinel", "topic", durable, autoDelete, internal, noWait, nil); err != nil {
		t.Error(err)
	}
}

func TestAPermissionThatIsGrantedSoonAfterTheLinkWasMadeIsUsedSoon(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	url := n.NewVHost(t)
	vhost := url[strings.LastIndex(url, "/")+1:]
	n.AddUser(t, "late", "secret")
	n.SetPermissions(t, vhost, "late", ".*", "^link_.*", ".*")
	w := run(t, amqpx.Config{URLs: []string{strings.Replace(url, "guest:guest", "late:secret", 1)}})
	w.await(t, true)
	n.SetPermissions(t, vhost, "late", ".*", ".*", ".*")
	outcome := make(chan amqpx.Outcome, 1)
	testkit.Eventually(t, testkit.Patience, "it may send", func() error {
		return w.Publish(amqpx.Message{Key: "reply.me"}, func(o amqpx.Outcome) { outcome <- o })
	})
	if got := testkit.Receive(t, outcome); got != amqpx.Confirmed || !w.State().Up {
		t.Errorf("it ended as %v", got)
	}
}

func TestAMessageThatTheBrokerFindsTooLongBreaksTheLinkOnce(t *testing.T) {
	e := newEmbeddedWith(t, broker.Config{MaxBody: 1000}) // its error texts are RabbitMQ's
	w := run(t, amqpx.Config{URLs: []string{e.url()}})
	w.await(t, true)
	long := amqpx.Message{Key: "reply.me", Publishing: amqpx.Publishing{Body: make([]byte, 1001)}}
	outcome := make(chan amqpx.Outcome, 1)
	if err := w.Publish(long, func(o amqpx.Outcome) { outcome <- o }); err != nil {
		t.Fatal(err)
	}
	if got := testkit.Receive(t, outcome); got != amqpx.Unknown {
		t.Errorf("the first one: %v", got)
	}
	w.await(t, false)
	w.await(t, true)
	err := w.Publish(long, func(o amqpx.Outcome) { t.Errorf("the second one was sent: %v", o) })
	if err == nil || !strings.Contains(err.Error(), "accepts 1000") {
		t.Errorf("the second one: %v", err)
	}
	if got := testkit.Receive(t, w.send(t, "reply.me", "short")); got != amqpx.Confirmed {
		t.Errorf("a short one: %v", got)
	}
	e.drop(t)
	w.await(t, false)
	w.await(t, true)
	if err := w.Publish(long, func(o amqpx.Outcome) { outcome <- o }); err != nil {
		t.Errorf("to a broker that may have another limit: %v", err)
	}
	testkit.Await(t, outcome)
}

func TestASizeLimitBelongsToOneAddress(t *testing.T) {
	small, large := newEmbeddedWith(t, broker.Config{MaxBody: 1000}), newEmbeddedWith(t, broker.Config{MaxBody: 2000})
	w := run(t, amqpx.Config{URLs: []string{small.url(), large.url()}})
	w.await(t, true)
	send := func() <-chan amqpx.Outcome {
		outcome := make(chan amqpx.Outcome, 1)
		long := amqpx.Message{Key: "reply.me", Publishing: amqpx.Publishing{Body: make([]byte, 1001)}}
		if err := w.Publish(long, func(o amqpx.Outcome) { outcome <- o }); err != nil {
			t.Fatal(err)
		}
		return outcome
	}
	if got := testkit.Receive(t, send()); got != amqpx.Unknown {
		t.Errorf("to the small one: %v", got)
	}
	w.await(t, false)
	w.await(t, true)
	if got := testkit.Receive(t, send()); got != amqpx.Confirmed {
		t.Errorf("to the large one: %v", got)
	}
	large.drop(t)
	w.await(t, false)
	w.await(t, true)
	err := w.Publish(amqpx.Message{Key: "reply.me", Publishing: amqpx.Publishing{Body: make([]byte, 1001)}},
		func(o amqpx.Outcome) { t.Errorf("to the small one again: %v", o) })
	if err == nil {
		t.Error("the small one's limit is forgotten")
	}
}
