package terminal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/wsclient"
)

// acts are characters that act on a terminal, and may stand in a text of JSON as they are.
const acts = "\u009b31m \u202e \u200f \u061c \u2028 \x7f"

// wantHarmless checks that a text has only characters that a terminal shows.
func wantHarmless(t *testing.T, what, text string) {
	t.Helper()
	if text == "" || strings.ContainsFunc(strings.TrimSuffix(text, "\n"), isControl) {
		t.Errorf("%s is %q", what, text)
	}
}

func TestNothingThatAnActorSaysActsOnTheTerminal(t *testing.T) {
	body := fmt.Sprintf(`{"list": [%q], "text": %q, "\u001b[2J": 1}`, "x", "x")
	body = strings.ReplaceAll(body, `"x"`, `"`+acts+`"`)
	events := func() *fakeLink { return &fakeLink{events: []Event{reply(1, "dome", "i", body, 0)}} }
	listen := func(ctx context.Context, e *Env) error { return Listen(ctx, e, ListenOptions{Count: 1}) }
	stdout, _, _ := events().run(t, nil, listen)
	wantHarmless(t, "a reply", stdout)
	stdout, _, _ = events().run(t, withJSON, listen)
	wantHarmless(t, "an envelope", stdout)
	var envelope struct{ Body struct{ List []string } }
	if err := json.Unmarshal([]byte(stdout), &envelope); err != nil || envelope.Body.List[0] != acts {
		t.Errorf("the envelope has become %q, %v", stdout, err)
	}

	snapshot := `{"actors": {"dome": {"time": "2026-11-21T03:38:40Z", "keywords": {
		"list": {"value": ["` + acts + `"], "time": "2026-11-21T03:38:40Z"}, "old\u001b[2J": {"value": 1, "time": "2026-11-21T03:38:00Z"}}}}}`
	for _, change := range []func(*Env){nil, withJSON} {
		link := &fakeLink{answers: map[string]string{"snapshot": snapshot}}
		stdout, _, err := link.run(t, change, func(ctx context.Context, e *Env) error {
			return Get(ctx, e, GetOptions{Patterns: []string{"dome.list", "dome.old*"}, MaxAge: time.Second})
		})
		wantHarmless(t, "a value", strings.ReplaceAll(stdout, "\n", ""))
		wantHarmless(t, "the error", err.Error())
	}
	for _, get := range []string{"list", "text"} {
		link := events()
		link.replies, link.outcome = []*Reply{link.events[0].(*Reply)}, Outcome{State: StateFailed, Message: "\x1b[2J" + acts}
		stdout, _, err := link.run(t, withJSON, func(ctx context.Context, e *Env) error {
			return Send(ctx, e, SendOptions{Consumer: "dome", Words: []string{"open"}, Get: get})
		})
		wantHarmless(t, "the value of a reply", stdout)
		wantHarmless(t, "what the actor says of its failure", err.Error())
	}
}

func TestAReplyOfSeveralLinesIsOneLineOfJSON(t *testing.T) {
	raw := "{\"body\": {\r\n\t\"a\": {\n  \"b\": \"two\\nlines\"\n}\n}, \"seq\": 1}"
	link := &fakeLink{events: []Event{&Reply{Raw: []byte(raw), Seq: 1}}}
	stdout, _, _ := link.run(t, withJSON, func(ctx context.Context, e *Env) error { return Listen(ctx, e, ListenOptions{Count: 1}) })
	var got, want any
	if err := errors.Join(json.Unmarshal([]byte(stdout), &got), json.Unmarshal([]byte(raw), &want)); err != nil {
		t.Fatal(err)
	}
	if strings.Count(stdout, "\n") != 1 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it prints %q", stdout)
	}
}

// brokenWriter is a full disk, or a pipe whose reader has gone.
type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestOutputThatCannotBeWrittenIsNotTheActorsFailure(t *testing.T) {
	for _, c := range []struct {
		err  error
		get  string
		ends Outcome
		code int
		note bool
	}{
		{syscall.ENOSPC, "", Outcome{State: StateDone}, ExitDone, true},
		{syscall.ENOSPC, "", Outcome{State: StateFailed}, ExitFailed, true},
		{syscall.ENOSPC, "safe", Outcome{State: StateDone}, ExitHere, true},
		{syscall.ENOSPC, "safe", Outcome{State: StateFailed}, ExitFailed, true},
		{syscall.EPIPE, "", Outcome{State: StateDone}, ExitDone, false},
	} {
		link := &fakeLink{outcome: c.ends, replies: []*Reply{reply(1, "dome", ":", `{"safe": true}`, 0)}}
		_, stderr, err := link.run(t, func(e *Env) { e.Stdout = brokenWriter{c.err} }, func(ctx context.Context, e *Env) error {
			return Send(ctx, e, SendOptions{Consumer: "dome", Words: []string{"status"}, Get: c.get})
		})
		wantCode(t, err, c.code)
		if strings.Contains(stderr, "could not be written") != c.note {
			t.Errorf("%+v notes %q", c, stderr)
		}
	}
}

func TestAnErrorWithoutACodeIsNotTheActorsFailure(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	for _, c := range []struct {
		ctx  context.Context
		err  error
		code int
	}{
		{t.Context(), nil, ExitDone},
		{t.Context(), syscall.ENOSPC, ExitHere},
		{t.Context(), &BridgeError{"bad_request", "no"}, ExitNotSent},
		{t.Context(), fmt.Errorf("x: %w", &wsclient.RefusedError{Status: 401}), ExitNotSent},
		{t.Context(), exit(ExitTime, "late"), ExitTime},
		{ended, context.Canceled, ExitInterrupted},
	} {
		wantCode(t, WithCode(c.ctx, c.err), c.code)
	}
}

func TestARecordingHasNoNegativeLength(t *testing.T) {
	for _, o := range []ListenOptions{{Count: -1}, {Wait: -1}, {Since: -1}} {
		var out bytes.Buffer
		_, _, err := (&fakeLink{}).run(t, func(e *Env) { e.Stdout = &out }, func(ctx context.Context, e *Env) error {
			return Record(ctx, e, RecordOptions{File: t.TempDir() + "/x", ListenOptions: o})
		})
		wantCode(t, err, ExitUsage)
	}
}

// A bridge that accepts the connection may say nothing.
func TestABridgeThatDoesNotAnswer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	e := &Env{Stdout: io.Discard, Stderr: io.Discard, Dial: func(ctx context.Context) (Link, error) {
		return Dial(ctx, DialOptions{URL: "ws://" + silent.Addr().String()})
	}}
	err = Wait(t.Context(), e, WaitOptions{Condition: "a.b == 1", Timeout: time.Millisecond})
	wantCode(t, err, ExitTime)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for name, do := range map[string]func() error{
		"wait": func() error { return Wait(ctx, e, WaitOptions{Condition: "a.b == 1"}) },
		"get":  func() error { return Get(ctx, e, GetOptions{Patterns: []string{"a.b"}}) },
		"send": func() error { return Send(ctx, e, SendOptions{Consumer: "a", Words: []string{"b"}}) },
	} {
		if err := do(); ExitCode(err) != ExitInterrupted {
			t.Errorf("%s ends with %d by Ctrl-C: %v", name, ExitCode(err), err)
		}
	}
}

// A client is told of the broker first, and then that it is connected.
func TestALinkIsUpIfBothOfItsPartsAre(t *testing.T) {
	w := &webSocket{watchers: map[int]func(LinkState){}}
	var told []bool
	defer w.watch(func(s LinkState) { told = append(told, s.Up) })()
	w.brokerChanged("down", "")
	w.stateChanged(wsclient.Connected, nil)
	if len(told) != 1 || told[0] {
		t.Errorf("of a bridge without a broker, it was told %v", told)
	}
	w.brokerChanged("up", "")
	w.stateChanged(wsclient.Connecting, nil)
	w.brokerChanged("up", "")
	w.stateChanged(wsclient.Connected, nil)
	if want := []bool{false, true, false, true}; !slices.Equal(told, want) {
		t.Errorf("it was told %v, want %v", told, want)
	}
}

func TestATextIsShownWithoutEscapesThatItDoesNotNeed(t *testing.T) {
	for raw, want := range map[string]string{
		`"caf\u00e9"`:         "café",
		`"caf\u00e9 au lait"`: `"café au lait"`,
		`"a\"b"`:              `"a\"b"`,
		`"a\nb <c>"`:          `"a\nb <c>"`,
		`"a\\b"`:              `"a\\b"`,
		`"\u001b[2J\u202e"`:   `"\u001b[2J\u202e"`,
		`["caf\u00e9"]`:       `["caf\u00e9"]`,
		`"a b"`:               `"a b"`,
	} {
		if got := shownValue(json.RawMessage(raw)); got != want {
			t.Errorf("%s is shown as %s, want %s", raw, got, want)
		}
	}
}
