package bridge

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// knows returns the problems that a client is told of.
func (s *bridgeHarness) knows(l *listener) string {
	s.t.Helper()
	s.tell(l, `{"op": "problems"}`)
	return problemsIn(s.await(l, "problems"))
}

func TestAnActorThatDiedBeforeThePageWasLoadedIsSilentWhenItIs(t *testing.T) {
	h := newHarness(t)
	h.problems.SetLinked(true)
	for range 30 {
		h.says(filter.Reply{Sender: "dome", Code: "i", RoutingKey: "reply.broadcast"}, 0)
		h.says(filter.Reply{Sender: "mount", Code: "i", RoutingKey: "reply.broadcast"}, 0)
		h.pass(time.Second)
		h.noteLiveness(h.hub.Liveness())
	}
	for range 10 {
		h.says(filter.Reply{Sender: "mount", Code: "i", RoutingKey: "reply.broadcast"}, 0)
		h.pass(time.Second)
		h.noteLiveness(h.hub.Liveness())
	}
	page := h.connect()
	if got := h.knows(page); got != "dome: silent: it usually broadcasts every 1s" {
		t.Errorf("a page that is loaded now is told of %q", got)
	}
	h.says(filter.Reply{Sender: "dome", Code: "i", RoutingKey: "reply.broadcast"}, 0)
	if got := h.knows(page); got != "" {
		t.Errorf("the dome is back: %q", got)
	}
}

func TestAnOperatorsTypoRaisesNothing(t *testing.T) {
	h := newHarness(t)
	page := h.connect()
	for _, code := range []string{">", "w", "e", "f"} {
		h.saysAll(filter.Reply{Sender: "dome", Code: code, CommandID: "1", Commander: "bridge.dome", RoutingKey: "reply.bridge.dome"}, `{"error": "No such command 'opne'."}`, 0)
	}
	if got := h.knows(page); got != "" {
		t.Errorf("problems: %q", got)
	}
}

func TestTheSiteIsReplacedWhileTheBridgeRuns(t *testing.T) {
	h := newHarness(t)
	page := h.connect()
	h.ask(page, "ok", `{"op": "subscribe", "notices": ["site", "problems"]}`)
	h.saysAll(filter.Reply{Sender: "weather", Code: "i"}, `{"is_safe": false}`, 0)
	cfg := &site.Config{Title: "A", Conditions: []site.ConditionConfig{{Name: "unsafe", When: "weather.is_safe == false", Text: "not safe"}}}
	if err := h.Reload(Reload{Site: cfg}); err != nil {
		t.Fatal(err)
	}
	h.await(page, "site")
	if got := problemsIn(h.await(page, "problem")); got != "weather: not safe" {
		t.Errorf("problems: %s", got)
	}
	wrong := &site.Config{Conditions: []site.ConditionConfig{{Name: "unsafe", When: "weather.is_safe = false"}}}
	err := h.Reload(Reload{Site: wrong})
	if err == nil || !strings.Contains(err.Error(), `conditions[0].when: column 17: "=" is not a comparison`) {
		t.Errorf("a wrong condition: %v", err)
	}
	if err := h.Reload(Reload{Site: cfg}); err != nil {
		t.Fatal(err)
	}
	if got := h.knows(page); got != "weather: not safe" { // and no notice before: nothing has changed
		t.Errorf("problems: %s", got)
	}
	h.pass(time.Second)
	if err := h.Reload(Reload{}); err != nil {
		t.Fatal(err)
	}
	h.await(page, "site")
	if got := problemsIn(h.await(page, "problem")); got != "" {
		t.Errorf("without a site there are problems: %s", got)
	}
}

func TestAConditionThatIsWrongKeepsTheBridgeFromStarting(t *testing.T) {
	_, err := New(Config{Broker: []string{"amqp://127.0.0.1:1/"}, Site: &site.Config{Conditions: []site.ConditionConfig{{When: "x"}}}})
	if err == nil || !strings.Contains(err.Error(), "a condition needs a name") || !strings.Contains(err.Error(), "names no actor") {
		t.Errorf("the error is %v", err)
	}
}

func TestThousandsOfProblemsAreListedInTurns(t *testing.T) {
	h := newHarness(t)
	for actor := range 200 {
		for text := range 12 {
			h.saysAll(filter.Reply{Sender: fmt.Sprint("actor", actor), Code: "w"}, fmt.Sprintf(`{"text": "%d"}`, text), 0)
		}
	}
	for range 100 {
		h.saysAll(filter.Reply{Sender: "actor", Code: "!"}, fmt.Sprintf(`{"text": "%d"}`, h.hub.Figures().Seq), 0)
	}
	page := h.connect()
	h.tell(page, `{"op": "problems", "id": "p"}`)
	m := h.await(page, "problems")
	problems := m["problems"].([]any)
	omitted := 0.0
	for _, n := range m["omitted"].(map[string]any) {
		omitted += n.(float64)
	}
	if len(problems) != maxProblems || omitted != 200*12+100-maxProblems {
		t.Errorf("%d problems, %v omitted", len(problems), omitted)
	}
	if first := problems[0].(map[string]any); first["level"] != "critical" {
		t.Errorf("the first problem is %v", first)
	}
}

func TestANoticeCountsWhatIsNotListedAsTheAnswerDoes(t *testing.T) {
	h := newHarness(t)
	page := h.connect()
	for n := range 40 {
		h.saysAll(filter.Reply{Sender: "dome", Code: "!"}, fmt.Sprintf(`{"text": "frame %d is lost"}`, n), 0)
	}
	h.pass(time.Second)
	h.tell(page, `{"op": "problems"}`)
	want := map[string]any{"dome": 8.0}
	if m := h.await(page, "problems"); !maps.Equal(m["omitted"].(map[string]any), want) {
		t.Errorf("the answer counts %v", m["omitted"])
	}
	h.ask(page, "ok", `{"op": "subscribe", "notices": ["problems"]}`)
	h.saysAll(filter.Reply{Sender: "dome", Code: "!"}, `{"text": "a leak"}`, 0)
	want["dome"] = 9.0
	h.pass(time.Second)
	var last map[string]any
	for last == nil || !strings.Contains(problemsIn(last), "a leak") {
		last = h.await(page, "problem")
	}
	if omitted, _ := last["omitted"].(map[string]any); !maps.Equal(omitted, want) {
		t.Errorf("the notice counts %v", last["omitted"])
	}
}
