package bridge

import (
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/hub"
)

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
