package terminal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// shellLink is a bridge whose commands end when the test says so.
type shellLink struct {
	fakeLink
	mu   sync.Mutex // guards the following fields
	sent []Command
	end  map[string]Outcome // by command string; others run on
	each func(Event) error
}

func (l *shellLink) Ask(_ context.Context, op string, _ map[string]any) (json.RawMessage, error) {
	return json.RawMessage(l.answers[op]), nil
}

func (l *shellLink) Send(ctx context.Context, c Command, started func(string), heard func(*Reply)) Outcome {
	l.mu.Lock()
	l.sent = append(l.sent, c)
	outcome, ok := l.end[c.String]
	l.mu.Unlock()
	started(c.ID)
	heard(reply(1, c.Consumer, ">", `{"text": "began"}`, 0))
	if !ok {
		<-ctx.Done()
		outcome = Outcome{State: StateUnknown}
	}
	outcome.ID = c.ID
	return outcome
}

func (l *shellLink) Listen(ctx context.Context, _ []Selection, each func(Event) error) error {
	l.mu.Lock()
	l.each = each
	l.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

func (l *shellLink) commands() (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.sent {
		all = append(all, c.Consumer+":"+c.String)
	}
	return all
}

// screen is what a terminal was sent.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// shown returns what was shown since the last call.
func (s *screen) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}

// typing runs an interactive shell, in which the test types.
func typing(t *testing.T, o ShellOptions, l *shellLink, do func(typed func(keys string) (shown string))) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		keys, keyboard := io.Pipe()
		defer keyboard.Close()
		shown := &screen{}
		o.Prompt = newTerminalPrompt(&keyReader{in: keys}, shown, openHistory(o.History))
		l.answers = map[string]string{
			"site":   `{"dangerous": [{"consumer": ["dome"], "verb": ["close"]}]}`,
			"actors": `{"actors": [{"name": "camera"}, {"name": "dome"}, {"name": "with blank"}]}`,
			"model":  `{"commands": [{"name": "open", "help": "Opens it.", "params": []}, {"name": "openall", "help": "", "params": []}, {"name": "rotate", "help": "", "params": []}]}`,
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			err = Shell(t.Context(), &Env{Dial: func(context.Context) (Link, error) { return l, nil }}, o)
		}()
		synctest.Wait()
		shown.shown()
		do(func(text string) string {
			for i := range len(text) {
				if _, err := keyboard.Write([]byte{text[i]}); err != nil {
					t.Errorf("the shell has ended before %q", text[i:])
				}
				synctest.Wait()
			}
			return shown.shown()
		})
		<-done
	})
	return err
}

const (
	ctrlD    = "\x04"
	ctrlCKey = "\x03"
)

func has(t *testing.T, shown string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(shown, w) {
			t.Errorf("%q is not shown in %q", w, shown)
		}
	}
}

func TestWhatIsTypedIsSentOnce(t *testing.T) {
	l := &shellLink{end: map[string]Outcome{`say "a b"`: {State: StateDone}, "expose 3": {State: StateDone}}}
	err := typing(t, ShellOptions{Actor: "dome"}, l, func(typed func(string) string) {
		has(t, typed("say \"a b\"\r"), `text=began`)
		typed(".send camera expose 3\r")
		has(t, typed("say \"a\r"), "not sent: a quotation is open")
		has(t, typed("say a\\\r"), "not sent: the line ends with a backslash")
		has(t, typed("\x1b[200~close\r\x1b[201~"), "not sent, since its end was pasted: close")
		typed("\r .actor\r")
		has(t, typed("camera\r"), "not sent: write the command after the actor")
		typed(ctrlD)
	})
	for _, c := range l.sent {
		if c.Expires != defaultExpires || c.ID == "" {
			t.Errorf("it may be sent late, or anew: %+v", c)
		}
	}
	if got, want := strings.Join(l.commands(), "|"), `dome:say "a b"|camera:expose 3`; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	wantCode(t, err, ExitUsage)
}

func TestCtrlCStopsWaitingAndSaysThatTheActorGoesOn(t *testing.T) {
	l := &shellLink{}
	err := typing(t, ShellOptions{Actor: "dome"}, l, func(typed func(string) string) {
		has(t, typed("open\r"), "dome (1 running)> ")
		has(t, typed("half"+ctrlCKey), "half\x1b[4D    \x1b[4D") // clears the line
		has(t, typed(ctrlCKey), `no longer waiting for "open": dome goes on with it`, "may still run", l.sent[0].ID)
		typed(ctrlCKey)
	})
	wantCode(t, err, ExitInterrupted)
	if got := l.commands(); len(got) != 1 {
		t.Errorf("sent %q", got)
	}
}

func TestASingleCtrlCDoesNotLeave(t *testing.T) {
	l := &shellLink{end: map[string]Outcome{"open": {State: StateDone}}}
	err := typing(t, ShellOptions{Actor: "dome"}, l, func(typed func(string) string) {
		for range 2 {
			has(t, typed(ctrlCKey), "Ctrl-C again, or Ctrl-D, leaves")
			typed("open\r")
		}
		typed(ctrlD)
	})
	wantCode(t, err, ExitDone)
	if got := l.commands(); len(got) != 2 {
		t.Errorf("sent %q", got)
	}
}

func TestWhatRunsIsNamedAtTheEnd(t *testing.T) {
	l := &shellLink{}
	err := typing(t, ShellOptions{}, l, func(typed func(string) string) {
		typed("dome open\r")
		has(t, typed(".running\r"), "dome", "open")
		shown := typed(ctrlD)
		has(t, shown, `dome goes on with "open" (id `+l.sent[0].ID+`)`)
	})
	wantCode(t, err, ExitUnknown)
}

func TestALostConnectionIsToldAtOnce(t *testing.T) {
	l := &shellLink{}
	var refused = Outcome{State: StateRejected, Message: "there is no connection"}
	l.end = map[string]Outcome{"open": refused}
	err := typing(t, ShellOptions{Actor: "dome"}, l, func(typed func(string) string) {
		_ = l.each(LinkState{Reason: "the bridge is gone"})
		has(t, typed("o"), "nothing is heard now: the bridge is gone", "dome (not connected)> ")
		has(t, typed("pen\r"), "not sent: there is no connection")
		_ = l.each(LinkState{Up: true})
		has(t, typed("\r"), "connected again", "dome> ")
		typed(ctrlD)
	})
	wantCode(t, err, ExitNotSent)
}

func TestADangerousCommandIsAskedAbout(t *testing.T) {
	l := &shellLink{end: map[string]Outcome{"close": {State: StateDone}, "close now": {State: StateDone}}}
	err := typing(t, ShellOptions{Actor: "dome"}, l, func(typed func(string) string) {
		for _, no := range []string{"\r", "no\r", "close\r", ctrlCKey} {
			has(t, typed("close\r"), "dangerous: send close to dome? (yes/no)")
			has(t, typed(no), "not sent: close", "dome> ")
		}
		has(t, typed(`"cl"ose`+"\rno\r"), "dangerous: ")
		has(t, typed(".send dome.x -- close\rno\r"), "dangerous: ")
		typed(".send camera close\rclose now\ryes\r" + ctrlD)
	})
	if got, want := strings.Join(l.commands(), "|"), "camera:close|dome:close now"; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	wantCode(t, err, ExitDone)
}

func TestTabCompletes(t *testing.T) {
	l := &shellLink{end: map[string]Outcome{"rotate": {State: StateDone}}}
	err := typing(t, ShellOptions{Actor: "dome"}, l, func(typed func(string) string) {
		has(t, typed("op\t"), "open", "openall", "Opens it")
		typed(ctrlCKey)
		typed("ro\t\r")
		has(t, typed(".ac\t"), ".actor", ".actors")
		has(t, typed(" \t"), "camera", "dome")
		typed("\x15" + ctrlD)
	})
	if got := l.commands(); len(got) != 1 || got[0] != "dome:rotate" {
		t.Errorf("sent %q", got)
	}
	wantCode(t, err, ExitDone)
}

func TestRepliesToOwnCommandsArePrintedOnce(t *testing.T) {
	l := &shellLink{end: map[string]Outcome{"open": {State: StateDone}}}
	_ = typing(t, ShellOptions{Actor: "dome"}, l, func(typed func(string) string) {
		typed("open\r.listen weather\r")
		own := reply(1, "dome", ":", `{"text": "twice"}`, 0)
		own.CommandID = l.sent[0].ID
		_ = l.each(own)
		_ = l.each(reply(2, "weather", "i", `{"wind": 3}`, 0))
		shown := typed("\r")
		has(t, shown, "weather i wind=3")
		if strings.Contains(shown, "twice") {
			t.Errorf("a reply is printed twice: %q", shown)
		}
		typed(ctrlD)
	})
}

func TestLinesThatNobodyTypesAreSentOneAfterTheOther(t *testing.T) {
	l := &shellLink{end: map[string]Outcome{"open": {State: StateDone}, "close": {State: StateFailed, Message: "too windy"}}}
	stdout, stderr, err := l.run(t, nil, func(ctx context.Context, e *Env) error {
		e.Dial = func(context.Context) (Link, error) { return l, nil }
		return Shell(ctx, e, ShellOptions{Actor: "dome", Prompt: NewLinesPrompt(strings.NewReader("open\n\nclose\n"), e.Stdout)})
	})
	wantCode(t, err, ExitFailed)
	has(t, stderr, "dome failed: too windy")
	if strings.Count(stdout, "text=began") != 2 || strings.Contains(stdout, ">\x1b") || strings.Contains(stdout, "dome> ") {
		t.Errorf("printed %q", stdout)
	}
	if err := errors.Unwrap(err); !errors.Is(err, ErrTold) {
		t.Errorf("the error is told again: %v", err)
	}
}

func TestTheCodeOfAShellIsThatOfTheLastCommand(t *testing.T) {
	for lines, want := range map[string]struct {
		code int
		said string
	}{
		"close\nopen\n": {ExitDone, "too windy"},
		"open\nclose\n": {ExitFailed, "too windy"},
		"open\n" + strings.Repeat("x", maxLine) + "\nclose\n": {ExitUsage, ""},
	} {
		l := &shellLink{end: map[string]Outcome{"open": {State: StateDone}, "close": {State: StateFailed, Message: "too windy"}}}
		_, stderr, err := l.run(t, nil, func(ctx context.Context, e *Env) error {
			e.Dial = func(context.Context) (Link, error) { return l, nil }
			return Shell(ctx, e, ShellOptions{Actor: "dome", Prompt: NewLinesPrompt(strings.NewReader(lines), e.Stdout)})
		})
		wantCode(t, err, want.code)
		has(t, stderr, want.said)
		if want.code == ExitUsage && !strings.Contains(err.Error(), "neither it nor what follows was sent") {
			t.Errorf("the error is %v", err)
		}
	}
}
