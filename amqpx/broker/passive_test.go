package broker_test

import (
	"log/slog"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
)

// written is what a log has written, a line a time. It has room for all that a test needs.
type written chan string

func (w written) Write(line []byte) (int, error) {
	w <- string(line)
	return len(line), nil
}

// String returns what was written since the last call.
func (w written) String() string {
	var b strings.Builder
	for range len(w) {
		b.WriteString(<-w)
	}
	return b.String()
}

// A client asks by a passive declaration, and the bridge asks about the queue of every actor.
func TestARefusedQuestionIsNoWarningAndAnyOtherRefusalIs(t *testing.T) {
	log := make(written, 100)
	_, url := serve(t, broker.Config{Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	owner, asker := dial(t, url), dial(t, url)
	ch, err := owner.Channel()
	must(t, err)
	_, err = ch.QueueDeclare("dome_commands", false, false, true, false, nil)
	must(t, err)
	refused := func(code int, do func(*amqp.Channel) error) {
		t.Helper()
		ch, err := asker.Channel()
		must(t, err)
		wantRefusal(t, do(ch), code, "")
	}
	declare := func(name string, passive bool) func(*amqp.Channel) error {
		return func(ch *amqp.Channel) (err error) {
			if passive {
				_, err = ch.QueueDeclarePassive(name, false, false, false, false, nil)
			} else {
				_, err = ch.QueueDeclare(name, false, false, false, false, nil)
			}
			return err
		}
	}
	refused(amqp.ResourceLocked, declare("dome_commands", true))
	refused(amqp.NotFound, declare("none", true))
	refused(amqp.NotFound, func(ch *amqp.Channel) error {
		return ch.ExchangeDeclarePassive("none", "topic", false, false, false, false, nil)
	})
	if text := log.String(); strings.Contains(text, "level=WARN") || strings.Count(text, `level=DEBUG msg="channel closed by the broker"`) != 3 {
		t.Errorf("the log of three questions is\n%s", text)
	}
	refused(amqp.ResourceLocked, declare("dome_commands", false))
	if text := log.String(); strings.Count(text, "level=WARN") != 1 {
		t.Errorf("the log of a declaration is\n%s", text)
	}
}
