package amqpx

import (
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
)

// calledBy reports whether a function of that name is among the callers.
func calledBy(name string) bool {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, name) {
			return true
		}
		if !more {
			return false
		}
	}
}

// Messages come alone and in bursts, and CanDeliver returns true or false.
func TestDeliveriesKeepTheirOrderOnWhicheverGoroutine(t *testing.T) {
	b := broker.New(broker.Config{})
	defer b.Close()
	dial := func(string, string) (net.Conn, error) { return b.Dial("", "") }
	const url, count = "amqp://guest:guest@localhost/", 3000
	random := rand.New(rand.NewPCG(1, 2))
	var got, now int // without a lock, because Deliver is called for one at a time
	come := make(chan int, count)
	deliver := func(d *Delivery) {
		if want := strconv.Itoa(got); string(d.Body) != want {
			t.Errorf("%s came in place of %s", d.Body, want)
		}
		got++
		if calledBy(".tryDeliver") {
			now++
		}
		come <- got
	}
	up := make(chan struct{}, 1)
	l, err := New(Config{
		URLs: []string{url}, Dial: dial, Exchange: "x", Name: "test", Logger: slog.New(slog.DiscardHandler), ProbeAfter: -1,
		Queues: []Queue{{Name: "q", Bindings: []string{"#"}, Deliver: deliver, CanDeliver: func() bool { return random.IntN(4) > 0 }}},
		OnState: func(s State) {
			if s.Up {
				up <- struct{}{}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run(t.Context()) }()
	t.Cleanup(func() { <-ended }) // the context of a test ends before
	<-up
	conn, err := amqp.DialConfig(url, amqp.Config{Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	bursts := rand.New(rand.NewPCG(3, 4))
	for sent := 0; sent < count; {
		for range min(1+bursts.IntN(3)*bursts.IntN(20), count-sent) {
			if err := ch.Publish("x", "k", false, false, Publishing{Body: []byte(strconv.Itoa(sent))}); err != nil {
				t.Fatal(err)
			}
			sent++
		}
		for <-come < sent {
		}
	}
	if now == 0 || now == count {
		t.Errorf("%d of %d were handed over by the goroutine that reads", now, count)
	}
}

// While the reading goroutine hands over a delivery, it reads nothing further.
func TestWhatArrivesDuringADeliveryIsNotTakenForNewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := New(Config{URLs: []string{"amqp://localhost/"}, Exchange: "test", Queues: []Queue{{
			Name: "q", Deliver: func(*Delivery) { time.Sleep(time.Second) }, CanDeliver: func() bool { return true },
		}}})
		if err != nil {
			t.Fatal(err)
		}
		here, _ := net.Pipe()
		s := &session{link: l, began: time.Now(), consuming: &connection{socket: newSocket(t.Context(), here)}}
		c := &consumer{state: l.consumerStates[0], session: s, batch: 10, inbox: &inbox{news: make(chan struct{}, 1)}}
		l.consumerStates[0].mu.Unlock() // as a session that serves does
		c.begin()
		defer c.ackTimer.Stop()
		read := time.Now()
		for tag := range uint64(2) { // the second one is routed meanwhile
			if !c.tryDeliver(&Delivery{DeliveryTag: tag + 1}) {
				t.Fatal("it was not taken by the goroutine that reads")
			}
		}
		if routed := c.state.loss.routedAfter; routed.After(read) {
			t.Errorf("it is taken to have been routed later than %v after the first was read", routed.Sub(read))
		}
	})
}

func TestAMessageThatIsLostOnItsWayFromAKeptQueueIsInTheGap(t *testing.T) {
	var gaps []Gap
	cs := newConsumerState(Queue{OnGap: func(g Gap) { gaps = append(gaps, g) }}, 10, slog.New(slog.DiscardHandler))
	bound := time.Now().Add(-time.Hour) // the message was sent since
	cs.boundAt, cs.completeUntil = bound, bound.Add(time.Minute)
	lost := time.Now()
	cs.noteLoss()
	cs.reportPendingGap()
	if len(gaps) != 1 || gaps[0].From.Before(bound) || gaps[0].From.After(lost) || gaps[0].To.Before(lost.Round(0)) {
		t.Errorf("the gaps are %v; it was lost at %v", gaps, lost)
	}
}

// What the network delivers late shows nothing about what was sent since the last request that was
// answered.
func TestAGapBeginsWithTheLastRequestThatWasAnswered(t *testing.T) {
	for name, q := range map[string]Queue{
		"exclusive": {Name: "q"},
		"kept":      {Name: "q", Expires: time.Minute},
		"stream":    {Name: "q", Stream: &Stream{Name: "s"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			q.Deliver = func(*Delivery) {}
			l, err := New(Config{URLs: []string{"amqp://localhost/"}, Exchange: "x", Queues: []Queue{q}})
			if err != nil {
				t.Fatal(err)
			}
			here, _ := net.Pipe()
			began := time.Now()
			s := &session{link: l, began: began, consuming: &connection{socket: newSocket(t.Context(), here)}}
			cs := l.consumerStates[0]
			cs.boundAt = began
			c := &consumer{state: cs, session: s, inbox: &inbox{news: make(chan struct{}, 1)}}
			cs.mu.Unlock() // as a session that serves does
			c.begin()
			<-time.After(time.Second)
			c.takeAll()
			s.answered.Store(int64(5 * time.Second))
			s.consuming.socket.last.Store(int64(9 * time.Second))
			<-time.After(9 * time.Second)
			c.end()
			if got := cs.completeUntil.Sub(began); got != 5*time.Second {
				t.Errorf("%s: complete until %v", name, got)
			}
		})
	}
}
