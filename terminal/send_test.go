package terminal

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEachEndOfACommandHasItsExitCode(t *testing.T) {
	for _, c := range []struct {
		outcome Outcome
		code    int
		said    string
	}{
		{Outcome{State: StateDone}, 0, ""},
		{Outcome{State: StateFailed, Message: "The dome is stuck."}, 1, "dome failed: The dome is stuck."},
		{Outcome{State: StateRejected, Code: "away", Message: "no broker"}, 3, "not sent: no broker"},
		{Outcome{State: StateNobody, Message: "Failed routing"}, 4, "nobody listens to dome"},
		{Outcome{State: StateUnknown, Message: "the link broke"}, 5, "(id id-1) ended: the link broke; ask dome for its status"},
		{Outcome{State: StateTimeout}, 6, "(id id-1) may still run: ask dome for its status"},
	} {
		link := &fakeLink{outcome: c.outcome}
		_, stderr, err := link.run(t, nil, func(ctx context.Context, e *Env) error {
			return Send(ctx, e, SendOptions{Consumer: "dome", Words: []string{"open"}, Expires: time.Second})
		})
		wantCode(t, err, c.code)
		if err != nil && !strings.Contains(err.Error(), c.said) {
			t.Errorf("%s says %v, want %q", c.outcome.State, err, c.said)
		}
		if !strings.Contains(stderr, `sending "open" to dome, with the id id-1`) {
			t.Errorf("it notes %q", stderr)
		}
	}
}

func TestAnInterruptedCommandIsNamed(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	err := outcomeError(ctx, "dome", "open", Outcome{ID: "id-1", State: StateUnknown})
	wantCode(t, err, ExitInterrupted)
	if want := `"open" to dome (id id-1) was not stopped and may still run: ask dome for its status`; !strings.Contains(err.Error(), want) {
		t.Errorf("it says %v", err)
	}
}

func TestTheRepliesOfACommandArePrinted(t *testing.T) {
	replies := []*Reply{reply(1, "dome", ">", `{}`, time.Second), reply(2, "dome", "i", `{"dome_open": true, "note": "a b"}`, 0), reply(3, "dome", ":", `{}`, 0)}
	for name, c := range map[string]struct {
		o      SendOptions
		json   bool
		stdout string
	}{
		"for people":     {SendOptions{}, false, "03:38:39.000 dome >\n03:38:40.000 dome i dome_open=true note=\"a b\"\n03:38:40.000 dome :\n"},
		"as JSON":        {SendOptions{}, true, `{"body": {}, "seq": 1}` + "\n" + `{"body": {"dome_open": true, "note": "a b"}, "seq": 2}` + "\n" + `{"body": {}, "seq": 3}` + "\n"},
		"quietly":        {SendOptions{Quiet: true}, false, ""},
		"a keyword":      {SendOptions{Get: "note"}, false, "a b\n"},
		"its JSON":       {SendOptions{Get: "note"}, true, `"a b"` + "\n"},
		"another, quiet": {SendOptions{Get: "dome_open", Quiet: true}, false, "true\n"},
	} {
		t.Run(name, func(t *testing.T) {
			link := &fakeLink{outcome: Outcome{State: StateDone}, replies: replies}
			c.o.Consumer, c.o.Words = "dome", []string{"open"}
			stdout, _, err := link.run(t, func(e *Env) { e.JSON = c.json }, func(ctx context.Context, e *Env) error { return Send(ctx, e, c.o) })
			wantCode(t, err, 0)
			if stdout != c.stdout {
				t.Errorf("it prints %q, want %q", stdout, c.stdout)
			}
		})
	}
}

func TestAKeywordThatDidNotComeIsSaid(t *testing.T) {
	link := &fakeLink{outcome: Outcome{State: StateDone}}
	_, _, err := link.run(t, nil, func(ctx context.Context, e *Env) error {
		return Send(ctx, e, SendOptions{Consumer: "dome", Words: []string{"open"}, Get: "dome_open"})
	})
	wantCode(t, err, ExitTime)
}

// brokenPipe is a reader that has gone.
type brokenPipe struct{}

var errBrokenPipe = errors.New("broken pipe")

func (brokenPipe) Write([]byte) (int, error) { return 0, errBrokenPipe }

func TestAReaderThatGoesDoesNotEndACommand(t *testing.T) {
	link := &fakeLink{outcome: Outcome{State: StateFailed, Message: "stuck"}, replies: []*Reply{reply(1, "dome", ">", `{}`, 0), reply(2, "dome", "f", `{}`, 0)}}
	_, _, err := link.run(t, func(e *Env) { e.Stdout = brokenPipe{} }, func(ctx context.Context, e *Env) error {
		return Send(ctx, e, SendOptions{Consumer: "dome", Words: []string{"open"}})
	})
	wantCode(t, err, ExitFailed)
}

func TestWhatTheShellTookAwayIsPutBack(t *testing.T) {
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"open"}, "open"},
		{[]string{"say", "a b"}, "say 'a b'"},
		{[]string{`say "a b"`}, `say "a b"`},
		{[]string{"say", ""}, "say ''"},
		{[]string{"goto", "-10", "5"}, "goto -10 5"},
	} {
		link := &fakeLink{outcome: Outcome{State: StateDone}}
		_, _, err := link.run(t, nil, func(ctx context.Context, e *Env) error {
			return Send(ctx, e, SendOptions{Consumer: "dome", Words: c.words})
		})
		wantCode(t, err, 0)
		if link.sent.String != c.want {
			t.Errorf("%q becomes %s, want %s", c.words, link.sent.String, c.want)
		}
	}
}

func TestAFlagThatMayBeTheActorsIsRefused(t *testing.T) {
	for _, c := range []struct {
		words, flags []string
		code         int
	}{
		{[]string{"rotate", "10"}, []string{"--mode"}, ExitUsage},
		{[]string{"rotate", "10"}, []string{"--quiet", "-m"}, ExitUsage},
		{[]string{"rotate 10"}, []string{"-m"}, ExitUsage},
		{[]string{"rotate", "10"}, []string{"--timeout"}, ExitDone},
		{[]string{"other"}, []string{"--mode"}, ExitDone},
		{[]string{"rotate", "10"}, nil, ExitDone},
	} {
		link := &fakeLink{answers: map[string]string{"model": modelAnswer}, outcome: Outcome{State: StateDone}}
		_, _, err := link.run(t, nil, func(ctx context.Context, e *Env) error {
			return Send(ctx, e, SendOptions{Consumer: "dome", Words: c.words, FlagsAfter: c.flags})
		})
		wantCode(t, err, c.code)
		if sent := link.sent.String != ""; sent != (c.code == ExitDone) {
			t.Errorf("%q with %q after it: sent is %v", c.words, c.flags, sent)
		}
	}
}

func TestWhatTakesLongToConnectIsNotSent(t *testing.T) {
	for _, c := range []struct {
		o     SendOptions
		takes time.Duration
		code  int
	}{
		{SendOptions{}, 4 * time.Second, ExitDone},
		{SendOptions{}, 6 * time.Second, ExitNotSent},
		{SendOptions{Expires: time.Minute}, 6 * time.Second, ExitDone},
		{SendOptions{Expires: time.Minute, Timeout: 3 * time.Second}, 4 * time.Second, ExitNotSent},
	} {
		synctest.Test(t, func(t *testing.T) {
			link := &fakeLink{outcome: Outcome{State: StateDone}}
			_, _, err := link.run(t, func(e *Env) {
				e.Dial = func(context.Context) (Link, error) {
					time.Sleep(c.takes)
					return link, nil
				}
			}, func(ctx context.Context, e *Env) error {
				o := c.o
				o.Consumer, o.Words = "dome", []string{"open"}
				return Send(ctx, e, o)
			})
			wantCode(t, err, c.code)
			if sent := link.sent.Consumer != ""; sent != (c.code == ExitDone) {
				t.Errorf("after %v, %+v was sent: %v", c.takes, c.o, sent)
			}
			if spent := cmp.Or(c.o.Expires, defaultExpires) - link.sent.Expires; link.sent.Consumer != "" && spent != c.takes {
				t.Errorf("%v are taken off the expiry, want %v", spent, c.takes)
			}
		})
	}
}
