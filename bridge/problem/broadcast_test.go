package problem

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/site"
)

func TestOnlyWhatAnActorSaysOfItselfIsAProblem(t *testing.T) {
	for _, c := range []struct {
		what  string
		reply filter.Reply
		want  site.Level
	}{
		{"a broadcast warning", filter.Reply{Code: "w"}, site.Warn},
		{"a broadcast error", filter.Reply{Code: "e"}, site.Error},
		{"a broadcast failure", filter.Reply{Code: "f"}, site.Error},
		{"an alarm", filter.Reply{Code: "!"}, site.Critical},
		{"information", filter.Reply{Code: "i"}, site.None},
		{"no code that is known", filter.Reply{Code: "x"}, site.None},
		{"a warning to a commander", filter.Reply{Code: "w", CommandID: "1", Commander: "bridge.dome"}, site.None},
		{"an error to a commander", filter.Reply{Code: "e", CommandID: "1", Commander: "bridge.dome"}, site.None},
		{"an operator's typo", filter.Reply{Code: "f", CommandID: "1", Commander: "bridge.dome"}, site.None},
		{"a typo that is told to all", filter.Reply{Code: "f", CommandID: "1", Commander: "bridge.dome", RoutingKey: "reply.broadcast"}, site.None},
		{"an alarm to a commander", filter.Reply{Code: "!", CommandID: "1", Commander: "bridge.dome"}, site.Critical},
		{"a warning that is told to all", filter.Reply{Code: "w", CommandID: "1", Commander: "bridge.dome", RoutingKey: "reply.broadcast"}, site.Warn},
		{"an error in a timed command", filter.Reply{Code: "e", CommandID: "1", Commander: ".dome"}, site.Error},
		{"a failure of a timed command", filter.Reply{Code: "f", CommandID: "1", Commander: ".dome"}, site.Error},
		{"a failure of a command to itself", filter.Reply{Code: "f", CommandID: "1", Commander: "dome.dome"}, site.Error},
		{"another commander with this ending", filter.Reply{Code: "e", CommandID: "1", Commander: "x.dome"}, site.None},
		{"another commander with this ending", filter.Reply{Code: "e", CommandID: "1", Commander: "xdome"}, site.None},
	} {
		c.reply.Sender = "dome"
		if got := levelOf(&c.reply); got != c.want {
			t.Errorf("%s is %v, want %v", c.what, got, c.want)
		}
	}
}

func TestALesserProblemIsListedBesideTheWorse(t *testing.T) {
	h := newHarness(t)
	h.says("chiller", "!", `{"error": "coolant leak"}`)
	h.says("chiller", "w", `{"text": "disk 80 % full"}`)
	h.says("chiller", "w", `{"text": "disk 80 % full", "more": 1}`)
	h.says("chiller", "i", `{"text": "all is well"}`)
	h.expect("chiller", "critical coolant leak x1, warn disk 80 % full x1, warn disk 80 % full x1")
}

func TestTheSameTextCountsUp(t *testing.T) {
	h := newHarness(t)
	h.says("chiller", "w", `{"text": "disk full", "percent": 80}`)
	h.clock.Pass(time.Minute)
	h.says("chiller", "w", `{"text": "disk full", "percent": 81}`)
	problems, _ := h.Of("chiller", nil)
	if len(problems) != 1 || problems[0].Count != 2 || problems[0].Seq != 2 || problems[0].Time.Sub(problems[0].Began) != time.Minute {
		t.Errorf("%+v", problems)
	}
}

func TestTheTextIsWhatTheActorSaysIsWrong(t *testing.T) {
	long := strings.Repeat("é", 600)
	for body, want := range map[string]string{
		`{"text": "b", "error": "a"}`:         "a",
		`{"x": 1, "text": "b"}`:               "b",
		`{"error": {"code": 5}, "text": "b"}`: "b",
		`{"error": ""}`:                       `error=""`,
		`{"temperature": -50, "ok": [1]}`:     `temperature=-50, ok=[1]`,
		`{"alert": "A gust."}`:                "A gust.",
		`[]`:                                  `[]`,
		`{"error": "` + long + `"}`:           strings.Repeat("é", 250) + "…",
		`{"error": "\ud800\n"}`:               "�\n",
		`{"x": "` + strings.Repeat("y", 9000): `x="` + strings.Repeat("y", 497) + "…",
	} {
		if got := shorten(textOf([]byte(body))); got != want {
			t.Errorf("%.60s is %q, want %q", body, got, want)
		}
	}
}

func TestABroadcastThatIsNotSaidAgainIsListedForItsTime(t *testing.T) {
	h := newHarness(t)
	for code, text := range map[string]string{"w": "warned", "e": "erred", "!": "alarm"} {
		h.says("dome", code, `{"text": "`+text+`"}`)
	}
	h.clock.Pass(warnedFor)
	h.expect("dome", "critical alarm x1, error erred x1, warn warned x1")
	h.clock.Pass(2 * time.Second)
	h.expect("dome", "critical alarm x1, error erred x1")
	h.clock.Pass(erredFor)
	h.expect("dome", "critical alarm x1")
	h.clock.Pass(3 * 24 * time.Hour)
	h.expect("dome", "critical alarm x1")
}

func TestOfTooManyProblemsTheWorstAreListedAndTheRestIsTold(t *testing.T) {
	h := newHarness(t)
	for i := range maxBroadcasts {
		h.says("dome", "e", fmt.Sprintf(`{"text": "error %d"}`, i))
		h.clock.Pass(time.Second)
	}
	h.says("dome", "w", `{"text": "a warning"}`)
	problems, omitted := h.Of("dome", nil)
	if len(problems) != maxBroadcasts || omitted != 1 || problems[len(problems)-1].Level != site.Error {
		t.Errorf("%d problems, %d omitted: %v", len(problems), omitted, problems)
	}
	h.says("dome", "!", `{"text": "an alarm"}`)
	problems, omitted = h.Of("dome", nil)
	if len(problems) != maxBroadcasts || omitted != 2 || problems[0].Level != site.Critical || problems[len(problems)-1].Text != "error 1" {
		t.Errorf("%d problems, %d omitted: %v", len(problems), omitted, problems)
	}
	h.ack("dome", "", h.seq)
	if _, omitted = h.Of("dome", nil); omitted != 0 {
		t.Errorf("%d are omitted once all is acknowledged", omitted)
	}
	h.says("dome", "w", `{"text": "a warning"}`)
	if got := h.state("dome"); !strings.HasPrefix(got, "warn a warning x1, critical an alarm x1 acked, ") || strings.Contains(got, "omitted") {
		t.Errorf("an acknowledged problem does not make room: %s", got)
	}
}

func TestAnActorWithAWorseProblemTakesTheSpaceOfOneWithALesser(t *testing.T) {
	h := newHarness(t)
	for i := range maxActors {
		h.says(fmt.Sprintf("actor%d", i), "w", `{"text": "a warning"}`)
	}
	h.says("late", "w", `{"text": "a warning"}`)
	h.expect("late", "")
	h.says("later", "e", `{"text": "an error"}`)
	h.expect("later", "error an error x1")
	if n := len(h.Actors()); n != maxActors || h.Omitted() != 2 {
		t.Errorf("%d actors, %d omitted", n, h.Omitted())
	}
	h.says(strings.Repeat("x", maxName+1), "!", `{}`)
	if h.Omitted() != 3 {
		t.Error("a sender may have a name of any length")
	}
}

func TestAClientKnowsOfTheProblemsThatItMayHear(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Views = true })
	view := func(hear, hide string) *filter.View {
		var f [2][]*filter.Filter
		for i, text := range []string{hear, hide} {
			if text != "" {
				one, err := filter.Parse([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				f[i] = append(f[i], one)
			}
		}
		return filter.NewView(f[0], f[1])
	}
	h.conditions("unsafe error 0s: weather.is_safe == false", "both error 0s: weather.is_safe == false and dome.open == true")
	h.reply(filter.Reply{Sender: "dome", Code: "w", Internal: true}, `{"text": "internal"}`)
	h.says("dome", "w", `{"text": "public"}`)
	h.says("dome", "i", `{"open": true}`)
	h.says("weather", "i", `{"is_safe": false}`)
	for _, c := range []struct{ actor, hear, hide, want string }{
		{"dome", `{}`, "", "warn public x1, warn internal x1"},
		{"dome", `{}`, `{"internal": true}`, "warn public x1"},
		{"dome", `{"sender": "weather"}`, "", ""},
		{"dome", `{"keyword": "text"}`, "", "warn public x1, warn internal x1"},
		{"dome", `{"message_code": ["i"]}`, "", ""},
		{"weather", `{"sender": "weather"}`, "", "error weather.is_safe == false x1"},
		{"weather", `{"keyword": "is_safe"}`, "", "error weather.is_safe == false x1"},
		{"weather", `{}`, `{"keyword": "open"}`, "error weather.is_safe == false x1"},
		{"weather", `{}`, `{"sender": "dome", "message_code": "w"}`, "error weather.is_safe == false and dome.open == true x1, error weather.is_safe == false x1"},
	} {
		if got := h.state(c.actor, view(c.hear, c.hide)); got != c.want {
			t.Errorf("%s by %s without %s has %q, want %q", c.actor, c.hear, c.hide, got, c.want)
		}
	}
}

func TestAnAlarmThatCountsUpPushesOutNoOther(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "!", `{"text": "coolant leak"}`)
	h.says("dome", "!", `{"text": "motor 3 stalled"}`)
	for i := range 1000 {
		h.clock.Pass(time.Second)
		h.says("dome", "!", fmt.Sprintf(`{"text": "frame %d is lost"}`, i))
	}
	state := h.state("dome")
	for _, want := range []string{"critical coolant leak x1", "critical motor 3 stalled x1", "critical frame 999 is lost x1", "970 omitted"} {
		if !strings.Contains(state, want) {
			t.Errorf("%s is not in %s", want, state)
		}
	}
	h.says("dome", "w", `{"text": "disk full"}`)
	if state := h.state("dome"); strings.Contains(state, "disk") || !strings.Contains(state, "971 omitted") {
		t.Errorf("after a warning: %s", state)
	}
}
