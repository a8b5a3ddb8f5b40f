package broker_test

import (
	"bytes"
	"log/slog"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
)

func TestTheAnswerToAQuestionIsNoWarning(t *testing.T) {
	var log bytes.Buffer
	b, url := serve(t, broker.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	conn := dial(t, url)
	_, err := open(t, conn).QueueDeclarePassive("nothing", false, false, false, false, nil)
	wantRefusal(t, err, amqp.NotFound, "nothing")
	err = open(t, conn).QueueBind("nothing", "#", "nowhere", false, nil)
	wantRefusal(t, err, amqp.NotFound, "no")
	must(t, b.Close())
	if n := bytes.Count(log.Bytes(), []byte("channel closed by the broker")); n != 1 {
		t.Errorf("%d warnings, want the one of the binding:\n%s", n, log.Bytes())
	}
}
