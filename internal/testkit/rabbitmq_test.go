package testkit

import (
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

func dial(t *testing.T, url string) *amqp.Connection {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// roundTrip sends one message through the broker and waits for it.
func roundTrip(t *testing.T, conn *amqp.Connection) {
	t.Helper()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ch.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.PublishWithContext(t.Context(), "", q.Name, false, false, amqp.Publishing{Body: []byte("hello")}); err != nil {
		t.Fatal(err)
	}
	select {
	case d := <-got:
		if string(d.Body) != "hello" {
			t.Fatalf("got %q", d.Body)
		}
	case <-time.After(Patience):
		t.Fatal("no message within 10 s")
	}
}

func TestSharedNodeSpeaksAMQPAndIsOne(t *testing.T) {
	n := RabbitMQ(t)
	roundTrip(t, dial(t, n.URL()))
	if RabbitMQ(t) != n {
		t.Error("the second call started another node")
	}
}

func TestVirtualHostIsOfTheTestAlone(t *testing.T) {
	roundTrip(t, dial(t, RabbitMQ(t).NewVHost(t)))
}

func TestUserCanLogIn(t *testing.T) {
	n := RabbitMQ(t)
	n.AddUser(t, "ann", "s3cret")
	roundTrip(t, dial(t, strings.Replace(n.URL(), "guest:guest", "ann:s3cret", 1)))
}

// All on one node: each start takes seconds.
func TestOwnNodeCanBeDisturbed(t *testing.T) {
	n := StartRabbitMQ(t)
	for _, disturbance := range []struct {
		name string
		test func(t *testing.T, n *Node)
	}{
		{"closed connections", connectionsCanBeClosed},
		{"memory alarm", publishersCanBeBlocked},
		{"pause and resume", nodeCanBePaused},
		{"restart", durableQueuesSurviveARestart},
		{"kill and start", nodeCanBeKilled},
	} {
		t.Run(disturbance.name, func(t *testing.T) { disturbance.test(t, n) })
	}
}

func connectionsCanBeClosed(t *testing.T, n *Node) {
	closed := dial(t, n.URL()).NotifyClose(make(chan *amqp.Error, 1))
	n.CloseConnections(t)
	if err := Receive(t, closed); err == nil || err.Code != amqp.ConnectionForced {
		t.Errorf("closed with %v, want %d", err, amqp.ConnectionForced)
	}
}

func publishersCanBeBlocked(t *testing.T, n *Node) {
	conn := dial(t, n.URL())
	blocked := conn.NotifyBlocked(make(chan amqp.Blocking, 2))
	roundTrip(t, conn) // only a connection that has published is blocked
	n.SetMemoryAlarm(t, true)
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	_ = ch.PublishWithContext(t.Context(), "", "unknown", false, false, amqp.Publishing{})
	if b := Receive(t, blocked); !b.Active {
		t.Error("not blocked")
	}
	n.SetMemoryAlarm(t, false)
	if b := Receive(t, blocked); b.Active {
		t.Error("still blocked")
	}
}

func nodeCanBePaused(t *testing.T, n *Node) {
	n.Pause(t)
	conn, err := amqp.DialConfig(n.URL(), amqp.Config{Dial: amqp.DefaultDial(300 * time.Millisecond)})
	if err == nil {
		conn.Close()
		t.Error("a paused node answered")
	}
	n.Resume(t)
	roundTrip(t, dial(t, n.URL()))
}

func durableQueuesSurviveARestart(t *testing.T, n *Node) {
	conn := dial(t, n.URL())
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare("durable", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	closed := conn.NotifyClose(make(chan *amqp.Error, 1))
	port := n.Port()
	n.Restart(t)
	Receive(t, closed)
	if n.Port() != port {
		t.Errorf("port %d became %d", port, n.Port())
	}
	if ch, err = dial(t, n.URL()).Channel(); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclarePassive("durable", true, false, false, false, nil); err != nil {
		t.Errorf("the durable queue is gone: %v", err)
	}
}

func nodeCanBeKilled(t *testing.T, n *Node) {
	closed := dial(t, n.URL()).NotifyClose(make(chan *amqp.Error, 1))
	n.Kill(t)
	Receive(t, closed)
	n.Start(t)
	roundTrip(t, dial(t, n.URL()))
}

func TestNodeSpeaksTLSAndWantsACertificate(t *testing.T) {
	n := StartRabbitMQ(t, WithClientCertificates())
	config := n.TLS.ClientConfig(t)
	conn, err := amqp.DialTLS(n.TLSURL(), config)
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, conn)
	conn.Close()

	config.Certificates = nil
	if conn, err := amqp.DialTLS(n.TLSURL(), config); err == nil {
		conn.Close()
		t.Error("a client without a certificate was let in")
	}
}
