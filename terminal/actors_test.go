package terminal

import (
	"context"
	"strings"
	"testing"
	"time"
)

const actorsAnswer = `{"op": "actors", "actors": [
	{"name": "dome", "time": "2026-11-21T03:38:39Z", "interval_ms": 1000, "consumer": true, "keywords": 12},
	{"name": "mount", "time": "2026-11-21T03:30:40Z", "interval_ms": 1000, "consumer": true, "keywords": 3},
	{"name": "camera", "time": null, "interval_ms": null, "consumer": false, "keywords": 0},
	{"name": "lamp", "time": "2026-11-21T01:38:40Z", "interval_ms": null, "consumer": null, "keywords": 1}]}`

func TestActorsAreListedWithTheirLiveness(t *testing.T) {
	link := &fakeLink{answers: map[string]string{"actors": actorsAnswer}}
	stdout, _, err := link.run(t, nil, Actors)
	wantCode(t, err, 0)
	want := `ACTOR   STATE    HEARD        RHYTHM  COMMANDS   KEYWORDS
dome    alive    1.0 s ago    1.0 s   taken      12
mount   silent   8 min ago    1.0 s   taken      3
camera  gone     never        none    not taken  0
lamp    unknown  2.0 h ago    none    not known  1
`
	if got := strings.ReplaceAll(stdout, "  \n", "\n"); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("it prints\n%swant\n%s", stdout, want)
	}
	link.broker = "down"
	stdout, _, _ = link.run(t, withJSON, Actors)
	if want := `{"name":"dome","state":"unknown","time":"2026-11-21T03:38:39Z","interval_ms":1000,"consumer":true,"keywords":12}` + "\n"; !strings.HasPrefix(stdout, want) {
		t.Errorf("without a broker it prints %s", stdout)
	}
}

func TestTheRateOfAnActor(t *testing.T) {
	link := &fakeLink{events: []Event{
		reply(1, "weather", "i", `{"wind": 1}`, 4*time.Second), reply(2, "weather", "i", `{"wind": 1, "rain": 0}`, 3*time.Second),
		reply(3, "weather", "i", `{"wind": 1}`, 1*time.Second), Gap{}, reply(4, "weather", "i", `{"wind": 1}`, 0),
	}}
	hz := func(ctx context.Context, e *Env) error {
		return Hz(ctx, e, HzOptions{Actor: "weather", For: time.Minute, Count: 4})
	}
	stdout, _, err := link.run(t, withJSON, hz)
	wantCode(t, err, 0)
	want := `{"keyword":"","count":4,"hz":0.6666666666666666,"jitter_ms":500,"shortest_ms":1000,"longest_ms":2000}
{"keyword":"rain","count":1,"hz":null,"jitter_ms":null,"shortest_ms":null,"longest_ms":null}
{"keyword":"wind","count":4,"hz":0.6666666666666666,"jitter_ms":500,"shortest_ms":1000,"longest_ms":2000}
`
	if stdout != want {
		t.Errorf("it prints\n%swant\n%s", stdout, want)
	}
	stdout, _, _ = link.run(t, nil, hz)
	if !strings.Contains(stdout, "(all replies of weather)  4      0.667  500 ms  1000 ms   2000 ms") {
		t.Errorf("it prints\n%s", stdout)
	}
}

func TestAnActorThatSaysNothingHasNoRate(t *testing.T) {
	link := &fakeLink{stays: true}
	_, _, err := link.run(t, nil, func(ctx context.Context, e *Env) error {
		return Hz(ctx, e, HzOptions{Actor: "weather", For: time.Millisecond})
	})
	wantCode(t, err, ExitTime)
}

const modelAnswer = `{"op": "model", "actor": "dome", "state": "known", "commands": [
	{"name": "rotate", "help": "Rotates the opening.\nSlowly.", "deprecated": false, "params": [
	  {"name": "az", "kind": "argument", "opts": ["AZ"], "type": "float", "min": 0, "max": 360, "max_open": true, "required": true, "nargs": 1, "default": null, "help": ""},
	  {"name": "mode", "kind": "option", "opts": ["--mode", "-m"], "type": "choice", "choices": ["fast", "slow"], "required": false, "nargs": 1, "default": "fast", "help": "How."}]},
	{"name": "secret", "help": "", "deprecated": false, "hidden": true, "params": []}],
	"keywords": {"dome_az_deg": {"type": "number", "unit": "deg", "description": "Azimuth", "min": 0, "max": 360}, "dome_open": {"type": "boolean"}}, "problem": null}`

func TestTheCommandsOfAnActor(t *testing.T) {
	link := &fakeLink{answers: map[string]string{"model": modelAnswer}}
	stdout, _, err := link.run(t, nil, func(ctx context.Context, e *Env) error { return Help(ctx, e, "dome", nil) })
	wantCode(t, err, 0)
	if want := "COMMAND  HELP\nrotate   Rotates the opening.\n"; stdout != want {
		t.Errorf("it prints\n%swant\n%s", stdout, want)
	}
	stdout, _, err = link.run(t, nil, func(ctx context.Context, e *Env) error { return Help(ctx, e, "dome", []string{"rotate"}) })
	wantCode(t, err, 0)
	want := `clu-ws send dome rotate AZ [--mode MODE]

Rotates the opening.
Slowly.

PARAMETER   TYPE                     HELP
AZ          float, >= 0, < 360
--mode, -m  fast|slow, default fast  How.
`
	if stdout != want {
		t.Errorf("it prints\n%swant\n%s", stdout, want)
	}
	_, _, err = link.run(t, nil, func(ctx context.Context, e *Env) error { return Help(ctx, e, "dome", []string{"fly"}) })
	wantCode(t, err, ExitUsage)
}

func TestTheKeywordsOfAnActor(t *testing.T) {
	link := &fakeLink{answers: map[string]string{"model": modelAnswer}}
	schema := func(ctx context.Context, e *Env) error { return Schema(ctx, e, "dome") }
	stdout, _, err := link.run(t, nil, schema)
	wantCode(t, err, 0)
	if want := "KEYWORD      TYPE     UNIT  VALUES    DESCRIPTION\ndome_az_deg  number   deg   0 to 360  Azimuth\ndome_open    boolean\n"; stdout != want {
		t.Errorf("it prints\n%swant\n%s", stdout, want)
	}
	stdout, _, _ = link.run(t, withJSON, schema)
	if !strings.HasPrefix(stdout, `{"dome_az_deg": {"type": "number"`) || strings.Count(stdout, "\n") != 1 {
		t.Errorf("it prints %s", stdout)
	}
	link.answers["model"] = `{"state": "none", "commands": [], "keywords": {}, "problem": "nobody takes its commands"}`
	_, _, err = link.run(t, nil, schema)
	wantCode(t, err, ExitNobody)
}
