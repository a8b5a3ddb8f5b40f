package amqpx

import (
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A marker whose patience had ended says nothing about the queue of the next one.
func TestAMarkerThatComesBackLateDoesNotTellThatAnotherQueueIsMissing(t *testing.T) {
	t.Parallel()
	conn, err := amqp.Dial(testkit.RabbitMQ(t).NewVHost(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := &session{link: &Link{}, consuming: &connection{Connection: conn}, publishing: &connection{Connection: conn}}
	if err := s.openMarkers(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.markers.QueueDeclare("there", false, false, true, false, nil); err != nil {
		t.Fatal(err)
	}
	const mandatory, immediate = true, false
	if err := s.markers.Publish("", "missing", mandatory, immediate, amqp.Publishing{Type: placeType, CorrelationId: suffix()}); err != nil {
		t.Fatal(err) // a marker that nobody waits for
	}
	if returned, err := s.markReturned(t.Context(), "there", amqp.Publishing{Type: placeType}, time.Minute); returned || err != nil {
		t.Errorf("the marker to the queue that is there came back: %t, %v", returned, err)
	}
	if returned, err := s.markReturned(t.Context(), "missing", amqp.Publishing{Type: placeType}, time.Minute); !returned || err != nil {
		t.Errorf("the marker to the queue that is missing came back: %t, %v", returned, err)
	}
}

// A broker that is short of processor time takes seconds, and one that is short of memory says that it takes nothing.
func TestAMarkerIsAwaitedLongerIfTheBrokerDoesNotSayThatItTakesNone(t *testing.T) {
	for _, c := range []struct {
		name    string
		said    int // how often the broker said that it blocks, or no longer
		after   time.Duration
		came    bool
		wanting time.Duration
	}{
		{"at once", 0, 0, true, 0},
		{"slow", 0, 4 * time.Second, true, 4 * time.Second},
		{"never", 0, time.Hour, false, slowMarker},
		{"blocked", 1, 4 * time.Second, false, markerTimeout},
		{"blocked for a while", 2, 4 * time.Second, true, 4 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &session{markers: &amqp.Channel{}, blocking: make(chan amqp.Blocking, 8)}
				for range c.said {
					s.blocking <- amqp.Blocking{}
				}
				sign := make(chan struct{})
				timer := time.AfterFunc(c.after, func() { close(sign) })
				defer timer.Stop()
				began := time.Now()
				if _, _, came := awaitMarker(t.Context(), s, sign, slowMarker); came != c.came || time.Since(began) != c.wanting {
					t.Errorf("it came: %t, after %v; want %t, %v", came, time.Since(began), c.came, c.wanting)
				}
			})
		})
	}
}

// What RabbitMQ 3.10 and 4 say of a queue that cannot be used is no reason to take it for a new one, which has no gap.
func TestAQueueThatCannotBeUsedIsThere(t *testing.T) {
	for reason, there := range map[string]bool{
		"NOT_FOUND - no queue 'history' in vhost '/'":                                                         false,
		"NOT_FOUND - queue 'history' in vhost '/' process is stopped by supervisor":                           true,
		"NOT_FOUND - queue 'history' in vhost '/' has crashed and failed to restart":                          true,
		"NOT_FOUND - failed to perform operation on queue 'history' in vhost '/' due to timeout":              true,
		"NOT_FOUND - home node 'rabbit@host' of durable queue 'history' in vhost '/' is down or inaccessible": true,
		"INTERNAL_ERROR - failed to perform operation on queue 'history' in vhost '/' due to timeout":         false,
	} {
		code := amqp.NotFound
		if reason[0] == 'I' {
			code = amqp.InternalError
		}
		if got := isThere(&amqp.Error{Code: code, Reason: reason, Server: true}); got != there {
			t.Errorf("%s: %t", reason, got)
		}
	}
	if isThere(nil) {
		t.Error("no error says that it is there")
	}
}
