package testkit

import "testing"

func TestANodeIsReusedWithoutAnythingOfTheTestBefore(t *testing.T) {
	var first *Node
	t.Run("the test before", func(t *testing.T) {
		first = StartRabbitMQ(t)
		ch := OpenChannel(t, first.URL())
		for _, arguments := range []map[string]any{nil, {"x-queue-type": "quorum"}, {"x-queue-type": "stream"}} {
			kind, _ := arguments["x-queue-type"].(string)
			if _, err := ch.QueueDeclare("left"+kind, true, false, false, false, arguments); err != nil {
				t.Fatal(err)
			}
		}
		first.Eval(t, erlangCall("rabbit_auth_backend_internal:add_user", "left", "s3cret", actingUser))
		first.Eval(t, erlangCall("rabbit_vhost:add", "left", actingUser))
		first.SetMemoryAlarm(t, true)
	})
	again := StartRabbitMQ(t)
	if again != first {
		t.Fatal("it is another node")
	}
	if queues := again.Queues(t, "/"); len(queues) > 0 {
		t.Errorf("it has the queues %q", queues)
	}
	roundTrip(t, dial(t, again.URL()))
	for what, got := range map[string]string{
		"user":         again.Eval(t, `length(rabbit_auth_backend_internal:list_users()).`),
		"virtual host": again.Eval(t, `length(rabbit_vhost:list_names()).`),
	} {
		if got != "1" {
			t.Errorf("it has %s of each %s", got, what)
		}
	}
}

func TestANodeThatItsTestHasStoppedIsNotReused(t *testing.T) {
	var first *Node
	t.Run("the test before", func(t *testing.T) {
		first = StartRabbitMQ(t)
		first.Kill(t)
	})
	if second := StartRabbitMQ(t); second == first {
		t.Error("it was reused")
	}
}

func TestANodeIsReusedByATestThatAsksForOneLikeIt(t *testing.T) {
	var first *Node
	t.Run("the test before", func(t *testing.T) { first = StartRabbitMQ(t, WithClientCertificates()) })
	for _, c := range []struct {
		options []RabbitOption
		suits   bool
	}{
		{[]RabbitOption{WithClientCertificates()}, true},
		{nil, true},
		{[]RabbitOption{WithTLS()}, false},
		{[]RabbitOption{WithClientCertificates(), WithConfig("heartbeat = 1")}, false},
		{[]RabbitOption{WithPlugins("rabbitmq_management")}, false},
	} {
		var o rabbitOptions
		for _, option := range c.options {
			option(&o)
		}
		if first.suits(o) != c.suits {
			t.Errorf("%+v: the node with client certificates suits: %t", o, !c.suits)
		}
	}
	if again := StartRabbitMQ(t, WithClientCertificates()); again != first {
		t.Error("it is another node")
	}
}
