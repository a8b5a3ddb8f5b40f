package bridge

import (
	"strings"
	"testing"
	"time"
)

func TestARequestMayWriteItsNumbersAsFloats(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	s.from("a", 0)
	s.since(l, 0, `"id": "r", "throttle_ms": 1e2`)
	s.await(l, "ok")
	s.tell(l, `{"op": "subscribe", "id": "f", "since": {"epoch": "`+s.hub.Epoch+`", "seq": 1.0}, "throttle_ms": 100.0}`)
	if m := s.await(l, "ok"); m["resumed"] != true {
		t.Errorf("the answer is %v", m)
	}
	s.from("a", 0)
	s.from("a", 0)
	s.hears(l, 1, 2)
	s.pass(100 * time.Millisecond)
	s.hears(l, 1, 2, 3)
	s.tell(l, `{"op": "command", "id": "c", "consumer": "dome", "command_string": "open", "timeout_ms": 6e4}`)
	s.await(l, "ok")
	s.await(l, "error") // there is no broker
	if e := s.refused(l, `{"op": "command", "id": "c", "consumer": "dome", "command_string": "open", "timeout_ms": 1.5}`); !strings.Contains(e, `"timeout_ms" is 1.5, but must be a whole number`) {
		t.Error(e)
	}
}

func (s *bridgeHarness) refused(l *listener, request string) string {
	s.t.Helper()
	s.tell(l, request)
	words, _ := s.await(l, "error")["message"].(string)
	return words
}
