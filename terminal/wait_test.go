package terminal

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// values is a snapshot from JSON.
func values(t *testing.T, text string) (v Values) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

const dome = `{"actors": {"dome": {"time": "2026-11-21T03:38:40Z", "interval_ms": 1000, "keywords": {
	"dome_shutter": {"value": "closed", "time": "2026-11-21T03:38:10Z"}, "az": {"value": 10, "time": "2026-11-21T03:38:10Z"}}}}}`

func TestAConditionIsWaitedFor(t *testing.T) {
	silent := strings.Replace(dome, `"time": "2026-11-21T03:38:40Z"`, `"time": "2026-11-21T03:38:10Z"`, 1)
	for name, c := range map[string]struct {
		condition string
		snapshot  string
		events    []Event
		maxAge    time.Duration
		stdout    string // "" is not to be true
		said      string
	}{
		"true from the beginning": {"dome.dome_shutter==closed", dome, nil, 0, "dome.dome_shutter closed\n", ""},
		"true later":              {`dome.dome_shutter == "open"`, dome, []Event{reply(1, "dome", "i", `{"dome_shutter": "open"}`, 0)}, 0, "dome.dome_shutter open\n", ""},
		"never true":              {"dome.dome_shutter==open", dome, []Event{reply(1, "dome", "i", `{"az": 11}`, 0)}, 0, "", "dome.dome_shutter is closed"},
		"two of them":             {"dome.dome_shutter==closed and dome.az >= 11", dome, []Event{reply(1, "dome", "i", `{"az": 11}`, 0)}, 0, "dome.dome_shutter closed\ndome.az 11\n", ""},
		"by an old value":         {"dome.dome_shutter==closed", silent, nil, 0, "", "dome.dome_shutter was closed, but it is 30 s old, and its actor has been silent for 30 s"},
		"by a fresh value":        {"dome.dome_shutter==closed", silent, []Event{reply(1, "dome", "i", `{"dome_shutter": "closed"}`, 0)}, 0, "dome.dome_shutter closed\n", ""},
		"by an age":               {"dome.dome_shutter==closed", silent, nil, time.Minute, "dome.dome_shutter closed\n", ""},
		"beyond an age":           {"dome.dome_shutter==closed", dome, nil, time.Second, "", "it is 30 s old"},
		"after a gap":             {"dome.az == 11", dome, []Event{Gap{}, reply(1, "dome", "i", `{}`, 0)}, 0, "", "dome.az is not known"},
		"unknown":                 {"dome.other != 1", dome, nil, 0, "", "dome.other is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			link := &fakeLink{events: append([]Event{values(t, c.snapshot)}, c.events...), stays: true}
			stdout, _, err := link.run(t, nil, func(ctx context.Context, e *Env) error {
				return Wait(ctx, e, WaitOptions{Condition: c.condition, Timeout: 10 * time.Millisecond, MaxAge: c.maxAge})
			})
			if c.stdout == "" {
				wantCode(t, err, ExitTime)
				if err == nil || !strings.Contains(err.Error(), c.said) {
					t.Errorf("it says %v, want %q", err, c.said)
				}
				return
			}
			wantCode(t, err, ExitDone)
			if stdout != c.stdout {
				t.Errorf("it prints %q, want %q", stdout, c.stdout)
			}
		})
	}
}

func TestAConditionOnAnActorHearsAllOfIt(t *testing.T) {
	link := &fakeLink{}
	_, _, _ = link.run(t, nil, func(ctx context.Context, e *Env) error {
		return Wait(ctx, e, WaitOptions{Condition: "dome.a == 1 or dome.b == 2 or weather.c == 3"})
	})
	got, _ := json.Marshal(link.listens)
	if want := `[{"Filter":{"sender":"dome"},"Snapshot":true,"Since":null},{"Filter":{"sender":"weather"},"Snapshot":true,"Since":null}]`; string(got) != want {
		t.Errorf("it listens to %s, want %s", got, want)
	}
}

func TestWordsInAConditionNeedNoQuotes(t *testing.T) {
	for condition, want := range map[string]string{
		`dome.x==open`:                     `dome.x=="open"`,
		`dome.x != half-open and a.b<3`:    `dome.x != "half-open" and a.b<3`,
		`a.b == "x == y" or c.d == z`:      `a.b == "x == y" or c.d == "z"`,
		`a.b == true or a.b == null`:       `a.b == true or a.b == null`,
		`a.b == on`:                        `a.b == on`,
		`a.b == -1.5`:                      `a.b == -1.5`,
		`a.b == "with \"quotes\" == here"`: `a.b == "with \"quotes\" == here"`,
	} {
		if got := quoteBareWords(condition); got != want {
			t.Errorf("%s becomes %s, want %s", condition, got, want)
		}
	}
}

func TestAWrongConditionIsUsage(t *testing.T) {
	for condition, said := range map[string]string{
		"":                 "name a condition",
		"dome.x = open":    `write == for "is equal to"`,
		"dome.x == on":     "write true",
		"shutter == open":  "names no actor",
		"dome.x < open":    "column",
		"not dome.x == 1":  `there is no "not"`,
		"dome.x == 1 && y": `the words are "and" and "or"`,
	} {
		_, _, err := (&fakeLink{}).run(t, nil, func(ctx context.Context, e *Env) error { return Wait(ctx, e, WaitOptions{Condition: condition}) })
		wantCode(t, err, ExitUsage)
		if err == nil || !strings.Contains(err.Error(), said) {
			t.Errorf("%s: %v, want %q", condition, err, said)
		}
	}
}
