package bridge

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// observatory is a site of two actors.
func observatory() *site.Config {
	high := 85.0
	return &site.Config{
		Title:    "Example",
		Keywords: map[string]site.Keyword{"dome.humidity": {Unit: "%", High: &high}, "mirror.temp": {Unit: "degC"}},
		Conditions: []site.ConditionConfig{
			{Name: "unsafe", When: "mirror.safe == false"}, {Name: "both", When: "mirror.safe == false and dome.open == true"},
		},
		Pins:      map[string][]string{"dome": {"humidity"}, "mirror": {"temp"}},
		Dangerous: []site.Dangerous{{Consumer: []string{"dome", "mirror"}, Verb: []string{"open"}}, {Consumer: []string{"mirror"}}, {Verb: []string{"shut*"}}},
		Boards: site.Boards{List: []site.Board{
			{Name: "a", Items: []site.Item{{Plot: []string{"dome.humidity", "mirror.temp"}, Range: "6h"}, {Actor: "mirror"}, {Actor: "dome"}, {Log: "q=x"}}},
			{Name: "b", Items: []site.Item{{Keywords: []string{"mirror.temp"}}}},
		}},
	}
}

// newProblemHarness returns a bridge with a site. ana hears the dome, eve and eng everything.
func newProblemHarness(t *testing.T) *accessHarness {
	h := newAccessHarness(t)
	s, err := site.Compile(observatory())
	if err != nil {
		t.Fatal(err)
	}
	h.reloading.Lock()
	h.setSite(observatory(), s)
	h.reloading.Unlock()
	h.saysAll(filter.Reply{Sender: "dome", Code: "w", RoutingKey: "reply.broadcast"}, `{"text": "a warning"}`, 0)
	h.saysAll(filter.Reply{Sender: "dome", Code: "i", RoutingKey: "reply.broadcast"}, `{"open": true, "humidity": 90}`, 0)
	h.saysAll(filter.Reply{Sender: "mirror", Code: "!", RoutingKey: "reply.broadcast"}, `{"text": "an alarm"}`, 0)
	h.saysAll(filter.Reply{Sender: "mirror", Code: "i", RoutingKey: "reply.broadcast"}, `{"safe": false}`, 0)
	return h
}

// problemsIn describes the problems of a message.
func problemsIn(m map[string]any) string {
	var all []string
	problems, _ := m["problems"].([]any)
	for _, p := range problems {
		p := p.(map[string]any)
		all = append(all, fmt.Sprintf("%v: %v", p["actor"], p["text"]))
	}
	return strings.Join(all, ", ")
}

// askOp sends a request, and returns the answer with this op.
func askOp(t *testing.T, c *testkit.WebSocket, op, request string) map[string]any {
	t.Helper()
	c.Send(request)
	for {
		if m := next(t, c); m["op"] == op || m["op"] == "error" {
			return m
		}
	}
}

func TestAClientIsToldOfTheProblemsThatItMayHear(t *testing.T) {
	h := newProblemHarness(t)
	for who, want := range map[string]string{
		"ana": "dome: a warning, dome: humidity 90 %, above 85 %",
		"eve": "mirror: an alarm, mirror: safe false; dome.open true, mirror: safe false, dome: a warning, dome: humidity 90 %, above 85 %",
	} {
		c, _ := h.v1(who)
		m := askOp(t, c, "problems", `{"op": "problems", "id": "p"}`)
		if got := problemsIn(m); got != want && !sameParts(got, want) || m["id"] != "p" {
			t.Errorf("%s is told of %s\nwant %s", who, got, want)
		}
	}
}

// sameParts reports whether two lists are the same but for the order of what came at the same time.
func sameParts(a, b string) bool {
	in := map[string]int{}
	for part := range strings.SplitSeq(a, ", ") {
		in[part]++
	}
	for part := range strings.SplitSeq(b, ", ") {
		in[part]--
	}
	for _, n := range in {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestANoticeOfProblemsHasThoseThatItsClientMayHear(t *testing.T) {
	h := newProblemHarness(t)
	ana, _ := h.v1("ana")
	eve, _ := h.v1("eve")
	for _, c := range []*testkit.WebSocket{ana, eve} {
		askOp(t, c, "ok", `{"op": "subscribe", "notices": ["problems"]}`)
	}
	h.pass(time.Minute)
	h.saysAll(filter.Reply{Sender: "mirror", Code: "e"}, `{"text": "an error"}`, 0)
	h.saysAll(filter.Reply{Sender: "dome", Code: "e", RoutingKey: "x"}, `{"text": "an error"}`, 0)
	h.pass(time.Second)
	for who, c := range map[string]*testkit.WebSocket{"ana": ana, "eve": eve} {
		want := map[string]string{"dome": "dome: an error, dome: humidity 90 %, above 85 %, dome: a warning"}
		if who == "eve" {
			want["mirror"] = "mirror: an alarm, mirror: an error, mirror: safe false, mirror: safe false; dome.open true"
		}
		for len(want) > 0 {
			m := nextOp(t, c, "problem")
			actor := m["actor"].(string)
			if who == "ana" && actor != "dome" {
				t.Fatalf("ana is told of %v", m)
			}
			if sameParts(problemsIn(m), want[actor]) {
				delete(want, actor)
			}
		}
	}
}

func TestOnlyWhoMayCommandAnActorMayAcknowledgeItsProblems(t *testing.T) {
	h := newProblemHarness(t)
	for who, codes := range map[string][2]string{"ana": {"away", "forbidden"}, "eve": {"forbidden", "forbidden"}, "eng": {"away", "away"}} {
		c, _ := h.v1(who)
		for i, actor := range []string{"dome", "mirror"} {
			m := askOp(t, c, "ok", `{"op": "ack", "actor": "`+actor+`", "seq": 9}`)
			if m["code"] != codes[i] {
				t.Errorf("%s acknowledges problems of the %s: %v, want %s", who, actor, m, codes[i])
			}
			if text := fmt.Sprint(m["message"]); codes[i] == "forbidden" && !strings.HasPrefix(text, "you may not acknowledge problems of "+actor) {
				t.Errorf("%s is told %s", who, text)
			}
		}
	}
}

func TestWhatAClientMayNotHearItCannotAcknowledge(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) {
		c.Roles["observer"] = json.RawMessage(`{"hear": [{"keyword": "text"}], "hide": [{"internal": true}], "command": [{}]}`)
	})
	h.saysAll(filter.Reply{Sender: "dome", Code: "w"}, `{"text": "public"}`, 0)
	h.saysAll(filter.Reply{Sender: "dome", Code: "w", Internal: true}, `{"text": "internal"}`, 0)
	h.saysAll(filter.Reply{Sender: "dome", Code: "w"}, `{"error": "hidden"}`, 0)
	view := filterView(t, h, "ana")
	seq := uint64(9)
	ack, err := h.problems.Prepare("dome", "", &seq, view)
	if err != nil || len(ack.Keys) != 1 {
		t.Errorf("ana would acknowledge %v, %v", ack, err)
	}
	problems, omitted := h.problems.Of("dome", view)
	if len(problems) != 1 || problems[0].Text != "public" || omitted != 0 {
		t.Errorf("ana knows of %v", problems)
	}
}

// filterView returns the view of a user.
func filterView(t *testing.T, h *accessHarness, who string) *filter.View {
	t.Helper()
	c, _ := h.v1(who)
	defer c.Close()
	var view *filter.View
	h.engine.Each(func(_ engine.Conn, v any) {
		if v.(*client).user() == who {
			view = viewOf(v.(*client))
		}
	})
	if view == nil {
		t.Fatalf("%s has no view", who)
	}
	return view
}

func TestAClientIsToldOfTheSiteWhatItMayHear(t *testing.T) {
	h := newProblemHarness(t)
	for who, want := range map[string]string{
		"eve": `["dome.humidity","mirror.temp"] ["unsafe","both"] ["dome","mirror"] 3 [a4 b1]`,
		"ana": `["dome.humidity"] [] ["dome"] 2 [a3]`,
		"eng": `["dome.humidity","mirror.temp"] ["unsafe","both"] ["dome","mirror"] 3 [a4 b1]`,
	} {
		c, _ := h.v1(who)
		c.Send(`{"op": "site", "id": "s"}`)
		var answer struct {
			Op, ID, Title string
			site.View
		}
		if err := json.Unmarshal(c.Receive(), &answer); err != nil {
			t.Fatal(err)
		}
		var conditions, boards []string
		for _, c := range answer.Conditions {
			conditions = append(conditions, c.Name)
		}
		for _, b := range answer.Boards {
			boards = append(boards, fmt.Sprintf("%s%d", b.Name, len(b.Items)))
		}
		got := fmt.Sprintf("%s %s %s %d %v", protocol.JSON(slices.Sorted(maps.Keys(answer.Keywords))), protocol.JSON(append([]string{}, conditions...)), protocol.JSON(slices.Sorted(maps.Keys(answer.Pins))), len(answer.Dangerous), boards)
		if got != want {
			t.Errorf("%s is told %s\nwant %s", who, got, want)
		}
	}
}
