package bench

import (
	"context"
	"errors"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
)

// sinkOf is a consumer to which these commands came: number 10 is the first.
func sinkOf(numbers ...uint64) *commandSink {
	deliveries := make(chan amqp.Delivery, len(numbers))
	for _, n := range numbers {
		m := actor.NewCommand("bench", consumer, commandString(firstNumber+n), "").Message()
		deliveries <- amqp.Delivery{Body: m.Body}
	}
	return &commandSink{deliveries: deliveries, next: firstNumber + 10}
}

func TestEachSendersCommandsHaveAnOrderOfTheirOwn(t *testing.T) {
	var arrived []int
	s := sinkOf(12, 10, 13, 11)
	if _, err := s.receive(t.Context(), 2, 2, func(sender int) { arrived = append(arrived, sender) }); err != nil {
		t.Error(err)
	}
	if want := []int{1, 0, 1, 0}; len(arrived) != 4 || arrived[0] != want[0] || arrived[1] != want[1] || arrived[3] != want[3] {
		t.Errorf("from senders %v, not %v", arrived, want)
	}
	if s.next != firstNumber+14 {
		t.Errorf("the next number is %d", s.next)
	}
}

func TestLostDuplicatedAndReorderedCommandsAreAnError(t *testing.T) {
	for want, numbers := range map[string][]uint64{
		"1 out of order": {11, 10, 12, 13},
		"1 duplicated":   {10, 10, 12, 13},
		"was not sent":   {10, 11, 12, 14},
	} {
		if _, err := sinkOf(numbers...).receive(t.Context(), 2, 2, func(int) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", numbers, err)
		}
	}
}

func TestACommandThatDoesNotArriveIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := sinkOf(10, 11, 12).receive(ctx, 2, 2, func(sender int) {
		if sender == 1 {
			cancel(errors.New("the test gave up"))
		}
	})
	if err == nil || !strings.Contains(err.Error(), "the test gave up") {
		t.Errorf("%v", err)
	}
}

// fakeSource is a source whose commands are in the sink already.
type fakeSource struct{ answers chan error }

func (f fakeSource) prepare(uint64, int, int) error { return nil }
func (f fakeSource) send(context.Context) error     { return nil }
func (f fakeSource) arrived(int)                    {}
func (f fakeSource) unexpected() <-chan error       { return f.answers }
func (f fakeSource) close()                         {}

func TestAnAnswerToACommandFailsTheRound(t *testing.T) {
	answers := make(chan error, 1)
	path := commandPath{name: "a test", sink: sinkOf(10), source: fakeSource{answers}}
	if _, err := path.deliver(t.Context(), 1, 1); err != nil {
		t.Fatal(err)
	}
	answers <- errors.New("a client received an error")
	if _, err := path.deliver(t.Context(), 1, 1); err == nil || !strings.Contains(err.Error(), "received an error") {
		t.Errorf("%v", err)
	}
	answers <- errors.New("a client received an error")
	if err := path.awaitQuiet(t.Context()); err == nil || !strings.Contains(err.Error(), "received an error") {
		t.Errorf("%v", err)
	}
}
