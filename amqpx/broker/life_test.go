package broker_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestCloseSendsConnectionClose(t *testing.T) {
	b, url := serve(t, broker.Config{})
	closed := dial(t, url).NotifyClose(make(chan *amqp.Error, 1))
	must(t, b.Close())
	wantRefusal(t, testkit.Receive(t, closed), amqp.ConnectionForced, "shutdown")
	if _, err := b.Dial("", ""); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("dialled a closed broker: %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	if err := b.Serve(ln); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("served on a closed broker: %v", err)
	}
}

func TestCloseDoesNotWaitLongForSilentClients(t *testing.T) {
	b, url := serve(t, broker.Config{})
	uri, err := amqp.ParseURI(url)
	must(t, err)
	for range 3 { // never says a word
		nc, err := net.Dial("tcp", net.JoinHostPort(uri.Host, fmt.Sprint(uri.Port)))
		must(t, err)
		defer nc.Close()
	}
	pipe, err := b.Dial("", "") // says hello, and reads nothing
	must(t, err)
	defer pipe.Close()
	_, err = pipe.Write([]byte("AMQP\x00\x00\x09\x01"))
	must(t, err)
	start := time.Now()
	must(t, b.Close())
	if took := time.Since(start); took > 30*time.Second { // on a crowded machine
		t.Errorf("closing took %v", took)
	}
}

func TestWhatADroppedConnectionHeldIsFreed(t *testing.T) {
	b, url := serve(t, broker.Config{})
	conn := dial(t, url)
	closed := conn.NotifyClose(make(chan *amqp.Error, 1))
	ch := open(t, conn)
	must(t, ch.Confirm(false))
	must(t, ch.ExchangeDeclare("x", "topic", false, true, false, false, nil))
	declare(t, ch, "mine")
	must(t, ch.QueueBind("mine", "#", "x", false, nil))
	_, err := ch.QueueDeclare("ours", true, false, false, false, nil)
	must(t, err)
	publish(t, ch, "ours", []byte("kept"))
	_, ok, err := ch.Get("ours", false)
	if must(t, err); !ok {
		t.Fatal("no message")
	}

	b.DropConnections()
	if n := b.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	testkit.Receive(t, closed)

	conn = dial(t, url)
	_, err = open(t, conn).QueueDeclarePassive("mine", false, false, false, false, nil)
	wantRefusal(t, err, amqp.NotFound, "mine")
	wantRefusal(t, open(t, conn).ExchangeDeclarePassive("x", "topic", false, true, false, false, nil), amqp.NotFound, "x")
	d, ok, err := open(t, conn).Get("ours", true)
	if must(t, err); !ok || !d.Redelivered {
		t.Errorf("the message in the shared queue did not come back: %+v", d)
	}
}

func TestAClientThatDoesNotFinishTheHandshakeIsDisconnected(t *testing.T) {
	b := broker.New(broker.Config{HandshakeTimeout: 50 * time.Millisecond})
	defer b.Close()
	nc, err := b.Dial("", "")
	must(t, err)
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(testkit.Patience))
	if _, err := io.ReadAll(nc); err != nil {
		t.Errorf("the broker did not hang up: %v", err)
	}
}

func TestOnlyConfiguredUsersMayLogIn(t *testing.T) {
	_, url := serve(t, broker.Config{Users: map[string]string{"observer": "sky"}})
	_, err := amqp.Dial(url) // guest
	wantRefusal(t, err, amqp.AccessRefused, "username or password not allowed")
	conn, err := amqp.DialConfig(url, amqp.Config{
		SASL: []amqp.Authentication{&amqp.PlainAuth{Username: "observer", Password: "sky"}}, Locale: "en_US",
	})
	must(t, err)
	must(t, conn.Close())
}
