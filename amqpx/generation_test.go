package amqpx_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// perGeneration is between the positions of a stream and those of the one that replaces it.
const perGeneration = 10_000_000_000_000

// runReader runs a link that reads the stream "history".
func runReader(t *testing.T, url, name string, past uint64) (*recorder, *watched) {
	t.Helper()
	h := &recorder{}
	w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(history(name, past))}})
	w.await(t, true)
	return h, w
}

// generationOf returns the generation in which a message was read.
func generationOf(t *testing.T, h *recorder, number int) uint64 {
	t.Helper()
	h.await(t, number)
	for _, e := range h.all() {
		if e.number == number {
			return e.offset / perGeneration
		}
	}
	t.Fatalf("%d is missing", number)
	return 0
}

func deleteStream(t *testing.T, ch *amqp.Channel, readers ...*watched) {
	t.Helper()
	if _, err := ch.QueueDelete("history", false, false, false); err != nil {
		t.Fatal(err)
	}
	for _, w := range readers {
		w.await(t, false)
	}
	for _, w := range readers {
		w.await(t, true)
	}
}

// declareHistory declares the stream "history" as a link does.
func declareHistory(t *testing.T, ch *amqp.Channel) {
	t.Helper()
	args := amqp.Table{"x-queue-type": "stream", "x-max-age": "3600s", "x-stream-max-segment-size-bytes": int64(20_000_000)}
	if _, err := ch.QueueDeclare("history", true, false, false, false, args); err != nil {
		t.Fatal(err)
	}
}

func TestThePositionsInAStreamThatIsMadeAnewGoOnForEveryReader(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	first, w1 := runReader(t, url, "link_a", 0)
	second, w2 := runReader(t, url, "link_b", 0)
	ch := client(t, url)
	publish(t, ch, 0)
	for generation := range 3 {
		n := 10 * generation
		publish(t, ch, n+1, n+2)
		// On a busy machine a reader that has waited long for the other one counts, too.
		a, b := generationOf(t, first, n+2), generationOf(t, second, n+2)
		if a != b || a < uint64(generation) {
			t.Fatalf("%d is of the generations %d and %d, not %d", n+2, a, b, generation)
		}
		deleteStream(t, ch, w1, w2)
	}
	for range 5 { // some of them while a link makes it anew
		deleteStream(t, client(t, url))
	}
	n := publishUntilHeard(t, url, 100, first, second)
	if a, b := generationOf(t, first, n), generationOf(t, second, n); a != b || a < 3 {
		t.Errorf("the first is in generation %d at %d, the second in %d", a, n, b)
	}
	for name, h := range map[string]*recorder{"the first": first, "the second": second} {
		last := event{number: -1}
		for _, e := range h.all() {
			if e.number < 0 {
				continue
			}
			if e.number <= last.number || last.number >= 0 && e.offset <= last.offset {
				t.Errorf("%s: %d at %d came behind %d at %d", name, e.number, e.offset, last.number, last.offset)
			}
			last = e
		}
		if gaps := h.gaps(); len(gaps) < 3 {
			t.Errorf("%s: of 3 deletions %d gaps are told: %v", name, len(gaps), gaps)
		}
	}
	offsets := map[int]uint64{}
	for _, e := range first.all() {
		offsets[e.number] = e.offset
	}
	for _, e := range second.all() {
		if at, ok := offsets[e.number]; ok && e.number >= 0 && at != e.offset {
			t.Errorf("the first has %d at %d, the second at %d", e.number, at, e.offset)
		}
	}
}

// publishUntilHeard publishes messages until all hear the same one, and returns its number.
func publishUntilHeard(t *testing.T, url string, n int, all ...*recorder) int {
	t.Helper()
	var ch *amqp.Channel
	testkit.Eventually(t, testkit.Patience, "a message is heard by all", func() error {
		n++
		text := fmt.Sprint(n)
		if ch == nil || ch.Publish("test", "reply.me", false, false, amqp.Publishing{MessageId: text, Body: []byte(text)}) != nil {
			ch = testkit.OpenChannel(t, url) // the exchange was deleted with the stream
		}
		for _, h := range all {
			if !slices.ContainsFunc(h.all(), func(e event) bool { return e.number == n-10 }) {
				return fmt.Errorf("not heard: %d", n-10)
			}
		}
		return nil
	})
	return n - 10
}

// declareGenerations declares exchanges that count, as a link does.
func declareGenerations(t *testing.T, ch *amqp.Channel, names ...string) {
	t.Helper()
	for _, name := range names {
		err := ch.ExchangeDeclare(name, "fanout", true, false, true, false, nil)
		if err == nil {
			err = ch.ExchangeBind(name, "", name, false, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A link that is killed, or finds the stream deleted, may leave such a sentinel.
func TestASentinelThatWasNotBoundIsDeletedWithItsStreamNevertheless(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	ch := client(t, url)
	declareGenerations(t, ch, "history_generation_0")
	if err := ch.ExchangeDeclare("history_number_sentinel", "fanout", true, true, true, false, nil); err != nil {
		t.Fatal(err)
	}
	declareHistory(t, ch)
	h, w := runReader(t, url, "link", 0)
	publish(t, ch, 1)
	if got := generationOf(t, h, 1); got != 0 {
		t.Errorf("the first stream is of generation %d", got)
	}
	deleteStream(t, ch, w)
	publish(t, ch, 2)
	if got := generationOf(t, h, 2); got != 1 {
		t.Errorf("the second stream is of generation %d", got)
	}
}

func TestAStreamThatIsReplacedWhileNobodyReadsItIsANewOne(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	h, w := runReader(t, url, "link", 0)
	ch := client(t, url)
	publish(t, ch, 1)
	if got := generationOf(t, h, 1); got != 0 {
		t.Errorf("the first stream is of generation %d", got)
	}
	stop := func() { w.stop(); testkit.Await(t, w.ended) }
	stop()
	for _, again := range []bool{false, true} { // by the link, or by hand
		deleteStream(t, ch)
		if again {
			declareHistory(t, ch)
		}
		h, w = runReader(t, url, "link", 0)
		publish(t, ch, 2)
		if got, want := generationOf(t, h, 2), map[bool]uint64{false: 1, true: 2}[again]; got != want {
			t.Errorf("made again by hand %t: it is of generation %d, not %d", again, got, want)
		}
		stop()
		h, w = runReader(t, url, "link", 1000)
		publish(t, ch, 3)
		if a, b := generationOf(t, h, 2), generationOf(t, h, 3); a != b {
			t.Errorf("a later link counts on: %d, then %d", a, b)
		}
		stop()
	}
}

func TestAStreamOfAnEarlierVersionKeepsItsPositions(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	url := n.NewVHost(t)
	// An earlier version has no exchanges that count, as a link that may not declare them.
	n.AddUser(t, "uncounted", "secret")
	n.SetPermissions(t, vhostOf(url), "uncounted", "^(test|link|history(_binding|_sentinel|_restart_sentinel)?)$", ".*", ".*")
	older, w := runReader(t, strings.Replace(url, "guest:guest", "uncounted:secret", 1), "link", 0)
	ch := client(t, url)
	publish(t, ch, 1)
	older.await(t, 1)
	w.stop()
	testkit.Await(t, w.ended)
	newer, _ := runReader(t, url, "link", 1000)
	publish(t, ch, 2)
	newer.await(t, 2)
	before, after := older.all(), newer.all()
	before = slices.DeleteFunc(before, func(e event) bool { return e.number != 1 })
	after = slices.DeleteFunc(after, func(e event) bool { return e.number != 1 })
	if len(after) != 1 || before[0] != after[0] {
		t.Errorf("it was %s, and is %s", fmt.Sprint(before), fmt.Sprint(after))
	}
}
