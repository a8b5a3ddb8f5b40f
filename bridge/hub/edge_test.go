package hub

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

func TestASnapshotIsNeverOlderThanWhatItsClientHasGot(t *testing.T) {
	s := newHarness(t)
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	first, hears := s.connect(), s.connect()
	s.tell(first, `{"op": "subscribe", "id": "s", "snapshot": true}`)
	s.await(first, "ok")
	s.await(first, "snapshot")
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	s.tell(hears, `{"op": "subscribe", "id": "s", "snapshot": true}`)
	s.await(hears, "ok")
	if m := s.await(hears, "snapshot"); m["seq"] != 2. {
		t.Errorf("the snapshot is %v", m)
	}
}

func TestSinceWithASnapshotDeliversNothingTwice(t *testing.T) {
	s := newHarness(t)
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	first := s.connect()
	s.tell(first, `{"op": "subscribe", "id": "s", "snapshot": true}`)
	s.await(first, "ok")
	s.await(first, "snapshot")
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	again := s.connect()
	s.tell(again, fmt.Sprintf(`{"op": "subscribe", "id": "s", "snapshot": true, "since": {"epoch": %q, "seq": 1}}`, s.hub.Epoch))
	s.await(again, "ok")
	s.await(again, "snapshot")
	s.ask(again, "pong", `{"op": "ping"}`)
	again.mu.Lock()
	defer again.mu.Unlock()
	if fmt.Sprint(again.heard) != "[2]" {
		t.Errorf("it heard %v", again.heard)
	}
}

func TestAGapBeforeTheHelloIsReplayed(t *testing.T) {
	s := newHarness(t)
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	s.hub.Missed(time.Now().Add(-time.Second), time.Now())
	l := s.connect()
	s.tell(l, fmt.Sprintf(`{"op": "subscribe", "id": "s", "since": {"epoch": %q, "seq": 1}}`, s.hub.Epoch))
	s.await(l, "ok")
	s.await(l, "gap")
	s.hub.Missed(time.Now().Add(-time.Second), time.Now())
	s.await(l, "gap")
	s.tell(l, fmt.Sprintf(`{"op": "subscribe", "id": "t", "since": {"epoch": %q, "seq": 1}}`, s.hub.Epoch))
	s.await(l, "ok")
	s.await(l, "gap") // the first one, which came before the hello; the client has the other one already
	s.ask(l, "pong", `{"op": "ping"}`)
}

func TestARequestBeforeTheHelloIsAnsweredBehindIt(t *testing.T) {
	s := newHarness(t)
	s.hub.mu.Lock() // the hello waits
	l := s.dial()
	s.tell(l, `{"op": "command", "id": "c", "consumer": "dome"}`)
	s.tell(l, `{"op": "ping", "id": "p"}`)
	s.hub.mu.Unlock()
	s.await(l, "hello")
	s.await(l, "ok")
	s.await(l, "error") // there is no broker
	s.await(l, "pong")
}

func TestOnePatternTooManyIsRefused(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	globs := strings.TrimSuffix(strings.Repeat(`"%d*",`, 64), ",")
	for i := range 5 {
		list := globs
		for k := range 64 {
			list = strings.Replace(list, "%d", fmt.Sprint(i, "-", k), 1)
		}
		op := "ok"
		if i == 4 {
			op = "error"
		}
		s.ask(l, op, fmt.Sprintf(`{"op": "subscribe", "id": "%d", "filter": {"keyword": [%s]}}`, i, list))
	}
}

func TestFiltersThatAreTooLongTogetherAreRefused(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	for i := range 4 { // each has a third of the bound for all
		var fields []string
		for _, field := range []string{"sender", "keyword", "command_id", "commander", "routing_key"} {
			values := make([]string, 256)
			for k := range values {
				values[k] = fmt.Sprintf("%q", fmt.Sprint(i, k)+strings.Repeat("x", 250))
			}
			fields = append(fields, fmt.Sprintf("%q: [%s]", field, strings.Join(values, ",")))
		}
		op := "ok"
		if i == 3 {
			op = "error"
		}
		s.ask(l, op, fmt.Sprintf(`{"op": "subscribe", "id": "%d", "filter": {%s}}`, i, strings.Join(fields, ",")))
	}
}

// The last reply, the timeout and the failure of a command come at the same moment, in any order.
func TestACommandHasOneEndHoweverItsEndsRace(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	for n := range 300 {
		id, command := fmt.Sprint("request", n), fmt.Sprint(n)
		w := s.hub.ResultWaiter(l, l.session, &id)
		sent, err := s.hub.Inflight.Add(l, CommandKey{command, "a"}, w)
		if err != nil {
			t.Fatal(err)
		}
		ends := []func(){
			func() { s.hub.timeout(sent) },
			func() {
				if s.hub.Inflight.Failed(sent, n%2 == 0) {
					l.Send(protocol.BadRequest(&id, errors.New("it was not sent")))
				}
			},
			func() {
				s.says(filter.Reply{Sender: "a", Code: ":", CommandID: command, Commander: "bridge" + ".a"}, 0)
			},
		}
		rand.Shuffle(len(ends), func(i, j int) { ends[i], ends[j] = ends[j], ends[i] })
		var racing sync.WaitGroup
		for _, end := range ends {
			racing.Go(end)
		}
		if m := <-l.answers; m["id"] != id || m["op"] != "result" && m["op"] != "error" {
			t.Fatalf("the end of %s is %v", command, m)
		}
		racing.Wait()
	}
	s.ask(l, "pong", `{"op": "ping"}`)
}
