package limitedlog

import (
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// counts is a log that keeps the count of each line.
type counts struct{ list []int64 }

func (c *counts) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(discardCounter{}, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "count" {
			c.list = append(c.list, a.Value.Int64())
		}
		return a
	}}))
}

type discardCounter struct{}

func (discardCounter) Write(p []byte) (int, error) { return len(p), nil }

func TestEachReasonIsLoggedAtMostOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged counts
		dr := New(logged.logger(), "dropped")
		expect := func(want ...int64) {
			t.Helper()
			dr.mu.Lock()
			defer dr.mu.Unlock()
			if !slices.Equal(logged.list, want) {
				t.Errorf("the lines stand for %d messages, want %d", logged.list, want)
			}
		}
		note := func(times int) {
			for range times {
				dr.Note("not JSON", "sender", "x")
			}
		}
		note(5)
		expect(1)
		time.Sleep(time.Second)
		synctest.Wait()
		expect(1, 4)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		expect(1, 4)
		note(3)
		dr.End()
		expect(1, 4, 1, 2)
	})
}
