package rooms

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// sequenceHarness is a sequencer with a clock that the test moves. It records what is delivered.
type sequenceHarness struct {
	*Sequencer
	testkit.Clock
	delivered []string
}

func newSequenceHarness() *sequenceHarness {
	s := &sequenceHarness{}
	s.Sequencer = NewSequencer(func(m *Message) { s.delivered = append(s.delivered, m.Path+":"+string(m.Frame.Payload())) }, s.After)
	return s
}

func (s *sequenceHarness) take(text string, m Message) {
	if m.Path == "" {
		m.Path = "/a"
	}
	m.Frame = engine.Text(text)
	s.Take(m)
}

func (s *sequenceHarness) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(s.delivered, want) {
		t.Errorf("delivered were %q, want %q", s.delivered, want)
	}
	s.delivered = nil
}

func TestAMessageOlderThanTheLastOfItsRoomAndKeyIsDropped(t *testing.T) {
	s := newSequenceHarness()
	s.take("2", Message{Ordered: true, Order: 2})
	s.take("1", Message{Ordered: true, Order: 1})
	s.take("2 again", Message{Ordered: true, Order: 2})
	s.take("without order", Message{})
	s.take("another key", Message{Ordered: true, Order: 1, OrderKey: "k"})
	s.take("another room", Message{Ordered: true, Order: 1, Path: "/b"})
	s.take("negative", Message{Ordered: true, Order: -1, OrderKey: "n"})
	s.take("3", Message{Ordered: true, Order: 3})
	s.take("2 is late", Message{Ordered: true, Order: 2})
	s.expect(t, "/a:2", "/a:2 again", "/a:without order", "/a:another key", "/b:another room", "/a:negative", "/a:3")
}

// What one publish sends to several rooms comes to a dialect without another between.
func TestMessagesThatAreTakenTogetherComeTogether(t *testing.T) {
	s := newSequenceHarness()
	var running sync.WaitGroup
	for _, path := range []string{"/a", "/b"} {
		running.Go(func() {
			for range 20_000 {
				s.Take(Message{Path: path}, Message{Path: path})
			}
		})
	}
	running.Wait()
	for i := 0; i < len(s.delivered); i += 2 {
		if s.delivered[i] != s.delivered[i+1] {
			t.Fatalf("of %d messages, those at %d are %s and %s", len(s.delivered), i, s.delivered[i], s.delivered[i+1])
		}
	}
}

func TestTheKeysWhoseOrderWasUsedLastAreRemembered(t *testing.T) {
	s := newSequenceHarness()
	for i := range maxKeys {
		s.take("", Message{Ordered: true, Order: 5, OrderKey: fmt.Sprint(i)})
	}
	s.take("", Message{Ordered: true, Order: 5, OrderKey: "0"})
	s.take("", Message{Ordered: true, Order: 5, OrderKey: "new"})
	s.delivered = nil
	s.take("0", Message{Ordered: true, Order: 4, OrderKey: "0"})
	s.take("new", Message{Ordered: true, Order: 4, OrderKey: "new"})
	s.take("1 was forgotten", Message{Ordered: true, Order: 4, OrderKey: "1"})
	s.expect(t, "/a:1 was forgotten")
}

func TestOfMessagesThatComeTooSoonTheLastIsDeliveredAtTheEndOfTheWindow(t *testing.T) {
	s := newSequenceHarness()
	throttled := Message{Throttle: time.Second}
	s.take("first", throttled)
	s.expect(t, "/a:first")
	s.take("second", throttled)
	s.take("third", throttled)
	s.take("another key", Message{Throttle: time.Second, ThrottleKey: "k"})
	s.take("another room", Message{Throttle: time.Second, Path: "/b"})
	s.take("not throttled", Message{})
	s.expect(t, "/a:another key", "/b:another room", "/a:not throttled")
	s.Pass(time.Second - 1)
	s.expect(t)
	s.Pass(1)
	s.expect(t, "/a:third")
	s.take("in the next window", throttled)
	s.Pass(time.Second - 1)
	s.expect(t)
	s.Pass(1)
	s.expect(t, "/a:in the next window")
	s.Pass(2 * time.Second)
	s.take("after a pause", throttled)
	s.expect(t, "/a:after a pause")
	s.Close()
	s.take("after the end", Message{})
	s.Pass(time.Hour)
	s.expect(t)
}

func TestAThrottledMessageThatIsOutOfOrderByThenIsDropped(t *testing.T) {
	s := newSequenceHarness()
	s.take("1", Message{Ordered: true, Order: 1, Throttle: time.Second})
	s.take("2", Message{Ordered: true, Order: 2, Throttle: time.Second})
	s.take("1 is late", Message{Ordered: true, Order: 1, Throttle: time.Second})
	s.take("3", Message{Ordered: true, Order: 3})
	s.Pass(time.Second)
	s.take("4", Message{Ordered: true, Order: 4, Throttle: time.Second})
	s.expect(t, "/a:1", "/a:3", "/a:4")
}

func TestWhatIsBeyondTheBoundsOfThrottlingIsDelivered(t *testing.T) {
	s := newSequenceHarness()
	for i := range maxKeys {
		s.take("", Message{Throttle: 24 * time.Hour, ThrottleKey: fmt.Sprint(i)})
	}
	s.delivered = nil
	for range 2 {
		s.take("new", Message{Throttle: time.Second, ThrottleKey: "new"})
	}
	s.expect(t, "/a:new", "/a:new")
	long := strings.Repeat("x", maxPendingBytes/2)
	for i := range 2 {
		s.take(long, Message{Throttle: time.Hour, ThrottleKey: fmt.Sprint(i)})
	}
	s.take("short", Message{Throttle: time.Hour, ThrottleKey: "0"}) // in place of a long one
	s.expect(t, "/a:"+long)
	s.take(long, Message{Throttle: time.Hour, ThrottleKey: "2"})
	if len(s.delivered) != 0 {
		t.Error("there was room for a long message, but it was delivered at once")
	}
	s.Pass(time.Hour)
	s.expect(t, "/a:short", "/a:"+long)
	if s.bytes != 0 || len(s.windows) != 2 {
		t.Errorf("%d bytes and %d windows are left", s.bytes, len(s.windows))
	}
}
