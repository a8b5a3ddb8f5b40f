package bridge

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// fakeConsumers is consumers with actors and a broker of the test's.
type fakeConsumers struct {
	*consumers
	clock  testkit.Clock
	up     bool
	heard  map[string]snapshot.Liveness
	use    map[string]amqpx.QueueUse // by queue; otherwise it is missing
	logs   bool                      // the queues are exclusive, as those of CLU's actors are
	asked  []string
	told   []string
	change []string
}

func newFakeConsumers() *fakeConsumers {
	f := &fakeConsumers{up: true, heard: map[string]snapshot.Liveness{}, use: map[string]amqpx.QueueUse{}}
	f.clock.Pass(time.Hour)
	f.consumers = &consumers{
		ask: func(queue string) (amqpx.QueueUse, bool) {
			f.asked = append(f.asked, queue)
			if use, ok := f.use[queue]; ok {
				return use, f.logs
			}
			return amqpx.NoQueue, true
		},
		actors: func() (all []snapshot.Liveness) {
			for _, a := range f.heard {
				all = append(all, a)
			}
			return all
		},
		tell: func(actor string, is snapshot.Presence) {
			if text := actor + " " + is.String(); len(f.told) == 0 || f.told[len(f.told)-1] != text {
				f.told = append(f.told, text)
			}
		},
		now:    f.clock.Now,
		linked: func() bool { return f.up },
		lived:  func([]snapshot.Liveness) {},
		known:  map[string]*consumerOf{},
	}
	f.OnChange(func(actor string, present bool) { f.change = append(f.change, fmt.Sprint(actor, " ", present)) })
	return f
}

// says makes an actor heard now.
func (f *fakeConsumers) says(actor string, interval time.Duration) {
	f.heard[actor] = snapshot.Liveness{Name: actor, Last: f.clock.Now(), Interval: interval}
}

// pass lets seconds pass, in each of which some actors say something.
func (f *fakeConsumers) pass(seconds int, actors ...string) (asked int) {
	f.asked = nil
	for range seconds {
		f.clock.Pass(time.Second)
		for _, a := range actors {
			f.says(a, time.Second)
		}
		f.look(f.actors())
	}
	return len(f.asked)
}

func TestTheBrokerIsAskedAboutEveryActorThatWasHeard(t *testing.T) {
	f := newFakeConsumers()
	f.use["dome_commands"], f.use["mount_commands"] = amqpx.InUse, amqpx.Unused
	for _, name := range []string{"dome", "mount", "gone"} {
		f.says(name, 0)
	}
	f.look(f.actors())
	slices.Sort(f.told)
	if fmt.Sprint(f.told) != "[dome true gone false mount false]" {
		t.Errorf("told %v", f.told)
	}
	if present, known := f.of("dome"); !present || !known {
		t.Error("dome's consumer is not known")
	}
	if present, known := f.of("gone"); present || !known {
		t.Error("that gone has none is not known")
	}
	if _, known := f.of("never"); known {
		t.Error("an actor that was never heard is known")
	}
	if slices.Sort(f.change); fmt.Sprint(f.change) != "[dome true gone false mount false]" {
		t.Errorf("changed %v", f.change)
	}
}

func TestAQuestionThatCostsNothingIsAskedEveryFiveSeconds(t *testing.T) {
	f := newFakeConsumers()
	f.use["dome_commands"] = amqpx.InUse
	f.says("dome", 0)
	if n := f.pass(60); n != 12 {
		t.Errorf("in a minute it was asked %d times", n)
	}
}

// RabbitMQ logs each question about the queue of a CLU actor as an error.
func TestAnActorThatIsHeardAsUsualIsNotAskedAboutIfThatIsLogged(t *testing.T) {
	f := newFakeConsumers()
	f.logs = true
	f.use["dome_commands"] = amqpx.InUse
	f.says("dome", time.Second)
	if n := f.pass(600, "dome"); n != 1 {
		t.Errorf("in ten minutes it was asked %d times", n)
	}
	delete(f.use, "dome_commands")
	if f.pass(11); f.told[len(f.told)-1] != "dome false" {
		t.Errorf("eleven seconds after it died it was told %v", f.told)
	}
	if n := f.pass(3600); n < 58 || n > 70 {
		t.Errorf("in the hour after its death it was asked %d times", n)
	}
	f.use["dome_commands"] = amqpx.InUse
	if f.pass(2, "dome"); f.told[len(f.told)-1] != "dome true" {
		t.Errorf("two seconds after it came back it was told %v", f.told)
	}
}

func TestAnActorWithoutARhythmIsAskedAboutSeldomIfThatIsLogged(t *testing.T) {
	f := newFakeConsumers()
	f.logs = true
	f.use["dome_commands"] = amqpx.InUse
	f.says("dome", 0)
	if n := f.pass(600); n < 10 || n > 16 {
		t.Errorf("in ten minutes it was asked %d times", n)
	}
}

// It may have died as soon as it had said something.
func TestAnActorThatFallsSilentIsAskedAboutSoon(t *testing.T) {
	f := newFakeConsumers()
	f.logs = true
	f.use["dome_commands"] = amqpx.InUse
	f.says("dome", 0)
	f.pass(600)
	f.says("dome", 0) // it answers a command, and dies
	delete(f.use, "dome_commands")
	if f.pass(7); f.told[len(f.told)-1] != "dome false" {
		t.Errorf("seven seconds later it was told %v", f.told)
	}
}

func TestAnActorThatNeverTakesCommandsIsAskedAboutSeldom(t *testing.T) {
	f := newFakeConsumers()
	f.says("clock", time.Second)
	if n := f.pass(600, "clock"); n < 10 || n > 18 {
		t.Errorf("in ten minutes it was asked %d times", n)
	}
}

func TestAReturnedCommandIsAReasonToAsk(t *testing.T) {
	f := newFakeConsumers()
	f.logs = true
	f.use["dome_commands"] = amqpx.InUse
	f.says("dome", 0)
	f.pass(300)
	delete(f.use, "dome_commands")
	f.doubt("dome")
	f.doubt("never")
	if f.pass(1); f.told[len(f.told)-1] != "dome false" {
		t.Errorf("told %v", f.told)
	}
}

// What is told of how alive the actors are does not wait for the broker.
func TestABrokerThatDoesNotAnswerHoldsUpOnlyTheQuestions(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		f := newFakeConsumers()
		f.says("dome", 0)
		answer := make(chan struct{})
		var asked, lived atomic.Int32
		f.ask = func(string) (amqpx.QueueUse, bool) { asked.Add(1); <-answer; return amqpx.InUse, false }
		f.lived = func([]snapshot.Liveness) { lived.Add(1) }
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); f.run(ctx) }()
		<-time.After(5*askTick + askTick/2)
		if lived.Load() != 5 || asked.Load() != 1 {
			t.Errorf("it was told %d times, and asked %d times", lived.Load(), asked.Load())
		}
		cancel()
		close(answer)
		<-ended
	})
}

func TestManyActorsAreAskedAboutAFewAtATime(t *testing.T) {
	f := newFakeConsumers()
	for n := range 20 {
		f.says(fmt.Sprintf("actor%02d", n), 0)
	}
	var counts []int
	for range 3 {
		counts = append(counts, f.pass(1))
	}
	if fmt.Sprint(counts) != "[8 8 4]" {
		t.Errorf("asked %v", counts)
	}
	f.heard = map[string]snapshot.Liveness{}
	if f.pass(1); len(f.known) != 0 {
		t.Errorf("%d forgotten actors are kept", len(f.known))
	}
}

// The hub evicts actors when it knows too many, and they come back.
func TestAnActorThatTheHubHadForgottenHasItsConsumerAgain(t *testing.T) {
	f := newFakeConsumers()
	f.logs = true
	f.use["dome_commands"] = amqpx.InUse
	f.says("dome", time.Second)
	f.pass(3, "dome")
	f.told = nil
	if n := f.pass(1, "dome"); n != 0 || fmt.Sprint(f.told) != "[dome true]" {
		t.Errorf("it was asked %d times, and told %v", n, f.told)
	}
	f.told = nil
	f.heard["dome"] = snapshot.Liveness{Name: "dome", Last: f.clock.Now(), Interval: time.Second, Consumer: snapshot.Present}
	if f.look(f.actors()); f.told != nil {
		t.Errorf("what the hub knows it was told again: %v", f.told)
	}
}

func TestWithoutALinkNothingIsKnown(t *testing.T) {
	f := newFakeConsumers()
	f.use["dome_commands"] = amqpx.InUse
	f.says("dome", 0)
	f.pass(1)
	f.up = false
	f.pass(3)
	if _, known := f.of("dome"); known || fmt.Sprint(f.told) != "[dome true dome null]" {
		t.Errorf("told %v", f.told)
	}
	f.up = true
	if f.pass(1); f.told[len(f.told)-1] != "dome true" {
		t.Errorf("told %v", f.told)
	}
}
