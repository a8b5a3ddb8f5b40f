package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestWhatIsListenedTo(t *testing.T) {
	for _, c := range []struct {
		o    ListenOptions
		want string // "" is a wrong use
	}{
		{ListenOptions{}, `[{"internal":false}]`},
		{ListenOptions{Internal: true}, `[{}]`},
		{ListenOptions{Patterns: []string{"weather.wind_*", "dome"}}, `[{"internal":false,"keyword":"wind_*","sender":"weather"},{"internal":false,"sender":"dome"}]`},
		{ListenOptions{Senders: []string{"dome", "w*"}, Codes: "we!"}, `[{"internal":false,"message_code":["w","e","!"],"sender":["dome","w*"]}]`},
		{ListenOptions{Filter: `{"internal": true, "command_id": "x"}`}, `[{"command_id":"x","internal":true}]`},
		{ListenOptions{Filter: `[1]`}, ""},
		{ListenOptions{Filter: `null`}, ""},
		{ListenOptions{Patterns: []string{"dome"}, Senders: []string{"weather"}}, ""},
		{ListenOptions{Patterns: []string{"mount.axes.0"}}, ""},
		{ListenOptions{Count: -1}, ""},
	} {
		link := &fakeLink{}
		_, _, err := link.run(t, nil, func(ctx context.Context, e *Env) error { return Listen(ctx, e, c.o) })
		if c.want == "" {
			wantCode(t, err, ExitUsage)
			continue
		}
		filters := make([]map[string]any, len(link.listens))
		for i, s := range link.listens {
			filters[i] = s.Filter
		}
		if got, _ := json.Marshal(filters); string(got) != c.want {
			t.Errorf("%+v listens to %s, want %s", c.o, got, c.want)
		}
	}
}

func TestRepliesAndWhatIsMissingAmongThem(t *testing.T) {
	seconds := 1.25
	link := &fakeLink{events: []Event{
		reply(1, "dome", "i", `{"a": 1}`, 0), Gap{Seconds: &seconds}, Gap{Reason: "the bridge was restarted"}, Dropped{12},
		LinkState{Reason: "the connection to the bridge is lost"}, LinkState{Up: true}, reply(2, "dome", "i", `{"a": 2}`, 0), reply(3, "dome", "i", `{"a": 3}`, 0),
	}}
	stdout, stderr, err := link.run(t, nil, func(ctx context.Context, e *Env) error { return Listen(ctx, e, ListenOptions{Count: 2}) })
	wantCode(t, err, 0)
	if want := "03:38:40.000 dome i a=1\n03:38:40.000 dome i a=2\n"; stdout != want {
		t.Errorf("it prints %q, want %q", stdout, want)
	}
	want := "clu-ws: replies of 1.2 s may be missing here\nclu-ws: replies may be missing here: the bridge was restarted\n" +
		"clu-ws: 12 replies were left out here: they were read too slowly\nclu-ws: nothing is heard now: the connection to the bridge is lost\nclu-ws: connected again\n"
	if stderr != want {
		t.Errorf("it notes\n%swant\n%s", stderr, want)
	}
}

func TestTheTimeOfListeningRunsOut(t *testing.T) {
	for _, c := range []struct {
		count, replies, code int
	}{{2, 1, ExitTime}, {0, 0, ExitTime}, {0, 1, ExitDone}} {
		link := &fakeLink{stays: true}
		for i := range c.replies {
			link.events = append(link.events, reply(uint64(i+1), "dome", "i", `{}`, 0))
		}
		_, _, err := link.run(t, nil, func(ctx context.Context, e *Env) error {
			return Listen(ctx, e, ListenOptions{Count: c.count, Wait: time.Millisecond})
		})
		wantCode(t, err, c.code)
	}
}

func TestListeningEndsWithItsReader(t *testing.T) {
	link := &fakeLink{stays: true, events: []Event{reply(1, "dome", "i", `{}`, 0), Dropped{1}}}
	_, _, err := link.run(t, func(e *Env) { e.Stdout = brokenPipe{} }, func(ctx context.Context, e *Env) error {
		return Listen(ctx, e, ListenOptions{})
	})
	if !errors.Is(err, errBrokenPipe) {
		t.Errorf("it ended with %v", err)
	}
}

func TestListeningBeginsInThePast(t *testing.T) {
	link := &fakeLink{}
	for i := range 1000 { // a reply a second, the last one now
		link.log = append(link.log, fmt.Sprintf(`{"seq": %d, "heard": %d}`, i+1, now.Add(-time.Duration(999-i)*time.Second).UnixMicro()))
	}
	for since, want := range map[time.Duration]uint64{10 * time.Second: 989, 10*time.Second + 1: 989, 2 * time.Hour: 0, time.Nanosecond: 999} {
		link.asked = nil
		_, stderr, err := link.run(t, nil, func(ctx context.Context, e *Env) error { return Listen(ctx, e, ListenOptions{Since: since}) })
		wantCode(t, err, 0)
		if missing := strings.Contains(stderr, "replies of 103 min may be missing here: the bridge keeps none from before 2026-11-21 03:22:01"); missing != (want == 0) {
			t.Errorf("since %v it notes %q", since, stderr)
		}
		if got := link.listens[0].Since; got == nil || got.Seq != want || got.Epoch != "e" {
			t.Errorf("since %v it resumes after %+v, want %d", since, got, want)
		}
		if len(link.asked) > 12 {
			t.Errorf("it asked %d times", len(link.asked))
		}
	}
}

// A stream that was made anew goes on with far higher numbers.
func TestListeningBeginsInThePastOnEitherSideOfAJumpOfTheNumbers(t *testing.T) {
	const jump = 10_000_000_000_000
	link := &fakeLink{}
	for i := range 1000 {
		seq := i + 1
		if i >= 500 {
			seq += jump
		}
		link.log = append(link.log, fmt.Sprintf(`{"seq": %d, "heard": %d}`, seq, now.Add(-time.Duration(999-i)*time.Second).UnixMicro()))
	}
	for since, want := range map[time.Duration]uint64{10 * time.Second: jump + 989, 600 * time.Second: 399, 499*time.Second + 1: 500} {
		link.asked, link.listens = nil, nil
		_, _, err := link.run(t, nil, func(ctx context.Context, e *Env) error { return Listen(ctx, e, ListenOptions{Since: since}) })
		wantCode(t, err, 0)
		got := link.listens[0].Since
		if got == nil || got.Seq < want || got.Seq > want && want != 500 || got.Seq > jump+500 && want == 500 {
			t.Errorf("since %v it resumes after %+v, want %d", since, got, want)
		}
		if len(link.asked) > 60 {
			t.Errorf("it asked %d times", len(link.asked))
		}
	}
}

func TestAReplyCannotControlTheTerminal(t *testing.T) {
	link := &fakeLink{events: []Event{reply(1, "do\nme", "i", `{"a\u001b": "x\u001b[2Jy\nz", "rtl": "`+"\u202e"+`"}`, 0)}}
	stdout, _, _ := link.run(t, nil, func(ctx context.Context, e *Env) error { return Listen(ctx, e, ListenOptions{Count: 1}) })
	if strings.Count(stdout, "\n") != 1 || strings.ContainsAny(stdout, "\x1b\u202e") {
		t.Errorf("it prints %q", stdout)
	}
}

func TestColorsMarkWhatNeedsAttention(t *testing.T) {
	link := &fakeLink{events: []Event{reply(1, "dome", "e", `{"error": "x"}`, 0)}}
	stdout, _, _ := link.run(t, func(e *Env) { e.Color = true }, func(ctx context.Context, e *Env) error { return Listen(ctx, e, ListenOptions{Count: 1}) })
	if want := "03:38:40.000 \x1b[31mdome e error=x\x1b[0m\n"; stdout != want {
		t.Errorf("it prints %q, want %q", stdout, want)
	}
}
