package amqpx

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// It takes time to notice that a network has gone silent. Messages that the broker removed just
// before are still reported.
func TestWhatWasRemovedBeforeTheBrokerFellSilentIsWithinTheGap(t *testing.T) {
	now := time.Now()
	cs := newConsumerState(Queue{Name: "q"}, 10, slog.New(slog.DiscardHandler))
	heard := now.Add(-20 * time.Second)
	cs.boundAt = now.Add(-time.Hour)
	cs.startSession()
	cs.begin()
	cs.removals.before = now.Add(-time.Minute)
	cs.removals.seen = heard.Add(-time.Second)
	cs.loss.idle(now, 0, 0, now, false)
	cs.end(heard, heard)
	if !cs.completeUntil.Equal(cs.removals.before) {
		t.Errorf("complete until %v, want %v", cs.completeUntil, cs.removals.before)
	}
}

// Dead letters are removed when they are found. A session that breaks before it reports the gap leaves
// it to the next one.
func TestWhatWasRemovedIsReportedThoughTheSessionThatFoundItBroke(t *testing.T) {
	t.Parallel()
	conn, err := amqp.Dial(testkit.RabbitMQ(t).NewVHost(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cs := newConsumerState(Queue{Name: "q"}, 10, slog.New(slog.DiscardHandler))
	read := func() {
		t.Helper()
		s := &session{link: &Link{log: slog.New(slog.DiscardHandler)}, consuming: &connection{Connection: conn}, broken: make(chan struct{})}
		cs.removals.deadLettered = true
		if err := s.openDeadLetters(t.Context(), cs, "q", nil, false); err != nil {
			t.Fatal(err)
		}
	}
	ch := lettersOf(t, conn, false)
	dropOne(t, ch)
	read()
	read()
	if !cs.removals.beforeSession {
		t.Error("the second link does not know of it")
	}
	cs.beginRemovals()
	if cs.removals.beforeSession {
		t.Error("it is reported in every session")
	}
}

// lettersOf declares the queue of the dead letters of q, which is durable or dies with the connection.
func lettersOf(t *testing.T, conn *amqp.Connection, durable bool) *amqp.Channel {
	t.Helper()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(deadLetterQueueOf("q"), durable, false, !durable, false, amqp.Table{amqp.QueueMaxLenArg: 1}); err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	return ch
}

// dropOne does what the broker does when it removes a message from q.
func dropOne(t *testing.T, ch *amqp.Channel) {
	t.Helper()
	letter, err := ch.PublishWithDeferredConfirm("", deadLetterQueueOf("q"), false, false, amqp.Publishing{})
	if err != nil {
		t.Fatal(err)
	}
	letter.Wait()
}

// A letter that may not be taken away tells of the same removal at each connection.
func TestALetterThatMayNotBeReadIsNotToldAgainAndAgain(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	url := n.NewVHost(t)
	n.AddUser(t, "unread", "secret")
	n.SetPermissions(t, url[strings.LastIndex(url, "/")+1:], "unread", ".*", ".*", "^q$")
	owner, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	ch := lettersOf(t, owner, true)
	dropOne(t, ch)
	conn, err := amqp.Dial(strings.Replace(url, "guest:guest@", "unread:secret@", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cs := newConsumerState(Queue{Name: "q", Expires: time.Hour}, 10, slog.New(slog.DiscardHandler))
	cs.removals.deadLettered = true
	s := &session{link: &Link{log: slog.New(slog.DiscardHandler)}, consuming: &connection{Connection: conn}, broken: make(chan struct{})}
	if err := s.openDeadLetters(t.Context(), cs, "q", amqp.Table{}, true); err != nil {
		t.Fatal(err)
	}
	if cs.removals.deadLettered || cs.removals.beforeSession {
		t.Errorf("dead letters are read: %t, and told: %t", cs.removals.deadLettered, cs.removals.beforeSession)
	}
}

// A broker that is short of processor time may take longer than a session waits. What it removed until it answers is
// told, by the next session if need be.
func TestDeadLettersThatAreReadLateTellOfAllThatWasRemoved(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		removed, breaks bool // before the broker answers; before the consumer takes note
		fresh           bool // the queue is new, and nobody knows what was removed before the broker answers
	}{{"removed", true, false, false}, {"nothing removed", false, false, false}, {"broken", true, true, false}, {"a new queue", false, false, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			readLate(t, c.removed, c.breaks, c.fresh)
		})
	}
}

// openLate opens a session on a queue while the broker does not answer.
func openLate(t *testing.T, slow *slowLetters, began time.Time, fresh bool, onGap func(Gap)) (*session, *consumerState, chanWriter) {
	cs := newConsumerState(Queue{Name: "q", Expires: time.Hour, OnGap: onGap}, 10, slog.New(slog.DiscardHandler))
	cs.removals.deadLettered = true
	cs.boundAt, cs.completeUntil, cs.served = began, began, true
	log := make(chanWriter, 10)
	s := &session{link: &Link{log: slog.New(slog.NewTextHandler(log, nil))}, consuming: &connection{Connection: slow.conn}, broken: make(chan struct{})}
	slow.hold()
	if err := s.openDeadLetters(t.Context(), cs, "q", amqp.Table{}, !fresh); err != nil {
		t.Fatal(err)
	}
	if line := testkit.Receive(t, log); !strings.Contains(line, "the broker does not dead-letter") {
		t.Errorf("the log says %s", line)
	}
	return s, cs, log
}

func readLate(t *testing.T, removed, breaks, fresh bool) {
	slow := newSlowLetters(t, removed)
	var gaps []Gap
	began := time.Now().Add(-time.Minute)
	s, cs, log := openLate(t, slow, began, fresh, func(g Gap) { gaps = append(gaps, g) })
	cs.startSession()
	cs.begin()
	cs.mu.Unlock() // as handOver does
	now := began
	deliver := func() {
		cs.mu.Lock()
		defer cs.mu.Unlock()
		now = now.Add(deadLetterLag)
		cs.loss.idle(now, 0, 0, now, false)
		cs.deliveredAll(now, now)
	}
	for range 3 {
		deliver()
	}
	done := make(chan struct{})
	s.tasks.Go(func() { s.deadLetterReaders[0].run(done) })
	slow.release()
	if line := testkit.Receive(t, log); !strings.Contains(line, "the broker dead-letters after all") {
		t.Errorf("the log says %s", line)
	}
	dropped, told := s.removalsOf(cs), removed || fresh
	if (len(dropped) > 0) != told {
		t.Errorf("%d removals are announced", len(dropped))
	}
	if !breaks {
		if told {
			<-dropped
			cs.mu.Lock()
			cs.noteRemoval(now)
			cs.mu.Unlock()
		}
		deliver()
		if (len(gaps) > 0) != told || told && !gaps[0].From.Equal(began) {
			t.Errorf("the gaps are %v, and the session began at %v", gaps, began)
		}
		slow.remove()
		testkit.Receive(t, dropped)
	}
	close(done)
	_ = slow.conn.Close()
	s.tasks.Wait()
	cs.mu.Lock()
	cs.end(now, now)
	if breaks {
		cs.begin()
		if len(gaps) != 1 || gaps[0].From.After(began) {
			t.Errorf("the next session tells %v, and this one began at %v", gaps, began)
		}
	}
}

type chanWriter chan string

func (w chanWriter) Write(p []byte) (int, error) { w <- string(p); return len(p), nil }

// slowLetters is the queue of the dead letters of q, and a connection whose answers can be held back.
type slowLetters struct {
	net.Conn
	t    *testing.T
	conn *amqp.Connection
	ch   *amqp.Channel // of another connection
	gate chan struct{} // holds a token while answers pass
}

func newSlowLetters(t *testing.T, removed bool) *slowLetters {
	l := &slowLetters{t: t, gate: make(chan struct{}, 1)}
	l.release()
	url := testkit.RabbitMQ(t).NewVHost(t)
	dial := func(dial func(network, addr string) (net.Conn, error)) *amqp.Connection {
		conn, err := amqp.DialConfig(url, amqp.Config{Dial: dial, Locale: "en_US"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	l.conn = dial(func(network, addr string) (_ net.Conn, err error) {
		l.Conn, err = net.Dial(network, addr)
		return l, err
	})
	l.ch = lettersOf(t, dial(net.Dial), true)
	if removed {
		l.remove()
	}
	return l
}

func (l *slowLetters) remove() { dropOne(l.t, l.ch) }

func (l *slowLetters) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	<-l.gate
	l.release()
	return n, err
}

func (l *slowLetters) hold()    { <-l.gate }
func (l *slowLetters) release() { l.gate <- struct{}{} }
