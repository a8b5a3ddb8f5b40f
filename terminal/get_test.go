package terminal

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// weather is a snapshot with a value that is three seconds old.
func weather(interval, consumer string, lastReply time.Duration) string {
	at := func(before time.Duration) string { return now.Add(-before).Format(time.RFC3339Nano) }
	return fmt.Sprintf(`{"actors": {"weather": {"time": %q, "interval_ms": %s, "consumer": %s, "keywords": {
		"is_safe": {"value": true, "time": %q, "code": "i"},
		"big": {"value": 12345678901234567890, "time": %q, "code": "i"},
		"text": {"value": "two\nlines \u001b[31m", "time": %q, "code": "i"},
		"axes": {"value": {"list": [{"torque": 1.50}]}, "time": %q, "code": "i"},
		"unread": {"too_large": 70000, "time": %q, "code": "i"}}}}}`,
		at(lastReply), interval, consumer, at(3*time.Second), at(3*time.Second), at(3*time.Second), at(3*time.Second), at(3*time.Second))
}

// gapAfter returns a snapshot of a bridge that may have missed replies after a number; the value of is_safe has the number 1.
func gapAfter(snapshot string, seq int) string {
	snapshot = strings.Replace(snapshot, `"is_safe": {`, `"is_safe": {"seq": 1, `, 1)
	return fmt.Sprintf(`{"gap_after": %d, %s`, seq, strings.TrimPrefix(snapshot, "{"))
}

func TestAValueIsPrintedOnlyIfItIsFresh(t *testing.T) {
	for name, c := range map[string]struct {
		snapshot, pattern, broker string
		maxAge                    time.Duration
		code                      int
		stdout, said              string
	}{
		"alone":                   {weather("1000", "true", 0), "weather.is_safe", "up", 0, 0, "true\n", ""},
		"with all digits":         {weather("1000", "true", 0), "weather.big", "up", 0, 0, "12345678901234567890\n", ""},
		"without controls":        {weather("1000", "true", 0), "weather.text", "up", 0, 0, `two\nlines \x1b[31m` + "\n", ""},
		"a member":                {weather("1000", "true", 0), "weather.axes.list.0.torque", "up", 0, 0, "1.50\n", ""},
		"no such member":          {weather("1000", "true", 0), "weather.axes.list.1.torque", "up", 0, 6, "", "no value of weather.axes.list.1.torque is known"},
		"a silent actor":          {weather("1000", "true", time.Minute), "weather.is_safe", "up", 0, 6, "", "its actor has been silent for 60 s"},
		"an actor that has gone":  {weather("null", "false", time.Minute), "weather.is_safe", "up", 0, 6, "", "takes no commands"},
		"an actor without rhythm": {weather("null", "true", time.Minute), "weather.is_safe", "up", 0, 0, "true\n", ""},
		"missed by the bridge":    {gapAfter(weather("null", "true", 0), 1), "weather.is_safe", "up", 0, 6, "", "the bridge may have missed a newer one"},
		"missed, but young":       {gapAfter(weather("null", "true", 0), 1), "weather.is_safe", "up", 3 * time.Second, 0, "true\n", ""},
		"heard after the gap":     {gapAfter(weather("null", "true", 0), 0), "weather.is_safe", "up", 0, 0, "true\n", ""},
		"no broker":               {weather("1000", "true", 0), "weather.is_safe", "down", 0, 6, "", "hears no actors now"},
		"no replies":              {weather("1000", "true", 0), "weather.is_safe", "no_replies", 0, 6, "", "hears no actors now"},
		"within its age":          {weather("1000", "true", 0), "weather.is_safe", "up", 3 * time.Second, 0, "true\n", ""},
		"beyond its age":          {weather("1000", "true", 0), "weather.is_safe", "up", 2 * time.Second, 6, "", "it is 3.0 s old"},
		"of any age":              {weather("1000", "true", time.Hour), "weather.is_safe", "down", AnyAge, 0, "true\n", ""},
		"unknown":                 {`{"actors": {}}`, "weather.is_safe", "up", 0, 6, "", "no value of weather.is_safe is known"},
		"too large":               {weather("1000", "true", 0), "weather.unread", "up", 0, 6, "", "too large for the bridge"},
	} {
		t.Run(name, func(t *testing.T) {
			link := &fakeLink{broker: c.broker, answers: map[string]string{"snapshot": c.snapshot}}
			stdout, _, err := link.run(t, nil, func(ctx context.Context, e *Env) error {
				return Get(ctx, e, GetOptions{Patterns: []string{c.pattern}, MaxAge: c.maxAge})
			})
			wantCode(t, err, c.code)
			if stdout != c.stdout {
				t.Errorf("it prints %q, want %q", stdout, c.stdout)
			}
			if c.said != "" && !strings.Contains(err.Error(), c.said) {
				t.Errorf("the error is %v, want %q", err, c.said)
			}
		})
	}
}

func TestSeveralValuesArePrintedWithTheirNames(t *testing.T) {
	link := &fakeLink{answers: map[string]string{"snapshot": weather("1000", "true", 0)}}
	get := func(ctx context.Context, e *Env) error {
		return Get(ctx, e, GetOptions{Patterns: []string{"weather.[bi]*", "weather.big"}})
	}
	stdout, _, err := link.run(t, nil, get)
	wantCode(t, err, 0)
	if want := "KEYWORD          VALUE                 AGE\nweather.big      12345678901234567890  3.0 s\nweather.is_safe  true                  3.0 s\n"; stdout != want {
		t.Errorf("it prints\n%swant\n%s", stdout, want)
	}
	stdout, _, err = link.run(t, withJSON, get)
	wantCode(t, err, 0)
	if want := `{"keyword":"weather.big","value":12345678901234567890,"time":"2026-11-21T03:38:37Z","age_seconds":3}` + "\n"; !strings.HasPrefix(stdout, want) {
		t.Errorf("it prints %s, want %s", stdout, want)
	}
	stdout, _, _ = link.run(t, func(e *Env) { e.Width = func() int { return 20 } }, get)
	if want := "weather.big\n  value: 12345678901234567890\n  age: 3.0 s\n"; !strings.HasPrefix(stdout, want) {
		t.Errorf("a narrow terminal gets\n%swant\n%s", stdout, want)
	}
}

func TestAWrongPatternIsUsage(t *testing.T) {
	for _, pattern := range []string{"", "weather.", ".is_safe", "weather..x", "weather.[a"} {
		_, _, err := (&fakeLink{}).run(t, nil, func(ctx context.Context, e *Env) error {
			return Get(ctx, e, GetOptions{Patterns: []string{pattern}})
		})
		wantCode(t, err, ExitUsage)
	}
}

func TestARefusedRequestWasNotSent(t *testing.T) {
	_, _, err := (&fakeLink{}).run(t, nil, func(ctx context.Context, e *Env) error {
		return Get(ctx, e, GetOptions{Patterns: []string{"weather.is_safe"}})
	})
	wantCode(t, err, ExitNotSent)
}
