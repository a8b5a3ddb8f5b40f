package bridge

import (
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// What the hub makes of it is tested there.
func TestTheBatchTimeIsTheSubscriptionsElseTheURLs(t *testing.T) {
	const ms = time.Millisecond
	for target, want := range map[string]time.Duration{
		"/": 0, "/?batch_ms=50": 50 * ms, "/?sender=dome&batch_ms=50": 50 * ms, "/?silent=1&batch_ms=50": 50 * ms,
	} {
		s := newHarness(t)
		s.await(s.dialAt(target), "hello")
		if got := s.clients()[0].Session().Batch; got != want {
			t.Errorf("%s: the session has %v, want %v", target, got, want)
		}
		if r, _ := parseConnect(target); r.Subscribe != nil && r.Subscribe.Spec.Batch != want {
			t.Errorf("%s: the subscription has %v, want %v", target, r.Subscribe.Spec.Batch, want)
		}
	}
	for text, want := range map[string]time.Duration{
		`{}`: 50 * ms, `{"batch_ms": null}`: 50 * ms, `{"batch_ms": 1e3}`: 1000 * ms, `{"batch_ms": 0}`: 0,
	} {
		f, err := protocol.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var d hub.SubscribeRequest
		if err := readSubscribe(f, &d, 50*ms); err != nil || d.Spec.Batch != want {
			t.Errorf("%s: %v (%v), want %v", text, d.Spec.Batch, err, want)
		}
	}
}

func TestAnInvalidBatchTimeIsExplained(t *testing.T) {
	s := newHarness(t)
	for target, want := range map[string]string{
		"/?batch_ms=1001":           "the URL is not understood: batch_ms is 1001; it may be from 0 to 1000",
		"/?batch_ms=-1":             "the URL is not understood: batch_ms is -1; it may be from 0 to 1000",
		"/?batch_ms=soon":           `the URL is not understood: batch_ms=soon is no number of milliseconds; it may be from 0 to 1000`,
		"/?batch_ms=1&batch_ms=2":   "the URL is not understood: batch_ms is there twice; give it once",
		"/?silent=1&batch_ms=1&a=b": "",
	} {
		l := s.dialAt(target)
		s.await(l, "hello")
		if got := s.await(l, "error")["message"]; want != "" && got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
	l := s.connect()
	for value, want := range map[string]string{
		"1001": "batch_ms is 1001; it may be from 0 to 1000",
		"-1":   "batch_ms is -1; it may be from 0 to 1000",
		`"1"`:  `"batch_ms" is a string, but must be a whole number of milliseconds`,
		"0.5":  `"batch_ms" is 0.5, but must be a whole number of milliseconds`,
	} {
		s.tell(l, `{"op": "subscribe", "batch_ms": `+value+`}`)
		if got := s.await(l, "error")["message"]; got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	for _, batch := range []time.Duration{-1, hub.MaxBatch + 1} {
		if _, err := New(Config{Broker: []string{"amqp://127.0.0.1:1/"}, Batch: batch}); err == nil {
			t.Errorf("plain clients may wait for %v", batch)
		}
	}
}
