package terminal

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// focus is a snapshot of an actor whose name has points.
const focus = `{"actors": {"lvm.sci.foc": {"time": "2026-11-21T03:38:40Z", "interval_ms": 1000, "keywords": {
	"temp": {"value": {"inside": [3, 4]}, "time": "2026-11-21T03:38:40Z"}}},
	"mount": {"time": "2026-11-21T03:38:40Z", "keywords": {"axes": {"value": {"torque": 5}, "time": "2026-11-21T03:38:40Z"}}}}}`

func TestValuesOfAnActorWithPointsInItsName(t *testing.T) {
	for pattern, want := range map[string]string{
		"lvm.sci.foc.temp":          `{"inside":[3,4]}`,
		"lvm.sci.foc.temp.inside.1": "4",
		"mount.axes.torque":         "5",
		"lvm.*":                     `lvm.sci.foc.temp  {"inside":[3,4]}`,
		"lvm.sci.foc":               `lvm.sci.foc.temp  {"inside":[3,4]}`,
	} {
		link := &fakeLink{answers: map[string]string{"snapshot": focus}}
		stdout, _, err := link.run(t, nil, func(ctx context.Context, e *Env) error { return Get(ctx, e, GetOptions{Patterns: []string{pattern}}) })
		wantCode(t, err, ExitDone)
		if table := strings.HasPrefix(stdout, "KEYWORD"); !strings.Contains(stdout, want) || table != strings.Contains(want, "  ") {
			t.Errorf("%s is %q, want %q", pattern, stdout, want)
		}
	}
}

func TestAConditionOnAnActorWithPointsInItsName(t *testing.T) {
	for condition, want := range map[string]string{
		"lvm.sci.foc.temp.inside.0 == 3":  `[{"sender":["lvm","lvm.sci","lvm.sci.foc","lvm.sci.foc.temp","lvm.sci.foc.temp.inside"]}]`,
		"mount.axes.torque == 5":          `[{"sender":["mount","mount.axes"]}]`,
		"lvm.sci.foc.temp.inside.0 == 30": "",
	} {
		link := &fakeLink{events: []Event{values(t, focus)}, stays: true}
		_, _, err := link.run(t, nil, func(ctx context.Context, e *Env) error {
			return Wait(ctx, e, WaitOptions{Condition: condition, Timeout: 10 * time.Millisecond})
		})
		if want == "" {
			wantCode(t, err, ExitTime)
			continue
		}
		wantCode(t, err, ExitDone)
		if got := filtersOf(link.listens); got != want {
			t.Errorf("%s listens to %s, want %s", condition, got, want)
		}
	}
}

func TestRepliesOfAnActorWithPointsInItsName(t *testing.T) {
	for pattern, want := range map[string]string{
		"lvm.sci.foc":      `[{"internal":false,"sender":"lvm.sci.foc"}]`,
		"lvm.sci.foc.temp": `[{"internal":false,"keyword":"temp","sender":"lvm.sci.foc"}]`,
		"lvm.scp":          `[{"internal":false,"keyword":"scp","sender":"lvm"},{"internal":false,"sender":"lvm.scp"}]`,
		"lvm.*":            `[{"internal":false,"keyword":"*","sender":"lvm"},{"internal":false,"sender":"lvm.*"}]`,
		"weather.wind_*":   `[{"internal":false,"keyword":"wind_*","sender":"weather"}]`,
	} {
		link := &fakeLink{answers: map[string]string{"actors": `{"actors": [{"name": "lvm.sci.foc"}, {"name": "lvm.scp"}, {"name": "weather"}]}`}}
		_, _, _ = link.run(t, nil, func(ctx context.Context, e *Env) error {
			return Listen(ctx, e, ListenOptions{Patterns: []string{pattern}})
		})
		if got := filtersOf(link.listens); got != want {
			t.Errorf("%s listens to %s, want %s", pattern, got, want)
		}
	}
}

// filtersOf returns the filters of selections as JSON.
func filtersOf(selections []Selection) string {
	filters := make([]map[string]any, len(selections))
	for i, s := range selections {
		filters[i] = s.Filter
	}
	text, _ := json.Marshal(filters)
	return string(text)
}
