package bridge

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// historyOf asks for the last minute of a keyword, and returns what is told of it: the values of
// each series.
func historyOf(t *testing.T, c *testkit.WebSocket, keyword string) string {
	t.Helper()
	c.Send(fmt.Sprintf(`{"op": "history", "id": "h", "keywords": [%q], "from": "-1m"}`, keyword))
	answer := nextOp(t, c, "history")
	var all []string
	for _, one := range answer["series"].([]any) {
		series := one.(map[string]any)
		for _, name := range []string{"last", "value"} {
			if values, ok := series[name]; ok {
				text, _ := json.Marshal(values)
				all = append(all, fmt.Sprintf("%v %s", series["kind"], text))
			}
		}
	}
	return strings.Join(all, ", ")
}

func TestAHistoryHasOnlyWhatAClientMayHear(t *testing.T) {
	h := newAccessHarness(t)
	clients := map[string]*testkit.WebSocket{}
	for _, name := range []string{"ana", "eve"} {
		clients[name], _ = h.v1(name)
	}
	h.pass(time.Hour)
	say := func(r filter.Reply, body string) {
		h.pass(time.Second)
		h.saysAll(r, body, 0)
	}
	say(filter.Reply{Sender: "dome", Code: "i"}, `{"az": 1}`)
	say(filter.Reply{Sender: "dome", Code: "w"}, `{"az": 2}`)
	say(filter.Reply{Sender: "dome", Code: "i"}, `{"az": 3, "secret_key": 9}`)
	say(filter.Reply{Sender: "dome", Code: "i", CommandID: "42", Commander: "b.dome"}, `{"az": 4}`)
	say(filter.Reply{Sender: "dome", Code: "i"}, `{"az": 1}`)
	say(filter.Reply{Sender: "mirror", Code: "i"}, `{"az": 7}`)
	say(filter.Reply{Sender: "dome", Code: "i", Internal: true}, `{"az": 8}`)
	for _, want := range []struct{ who, keyword, values string }{
		{"eve", "dome.az", "number [1,2,3,4,1]"},
		{"ana", "dome.az", "number [1,2,3,4,1]"},
		{"eve", "mirror.az", "number [7]"},
		{"ana", "mirror.az", ""},
	} {
		if got := historyOf(t, clients[want.who], want.keyword); got != want.values {
			t.Errorf("%s is told %q of %s, want %q", want.who, got, want.keyword, want.values)
		}
	}
}

func TestAHistoryLeavesOutRepliesThatAViewDoesNotCertainlySelect(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) {
		c.Roles["observer"] = json.RawMessage(`{"hear": [{"sender": "dome", "message_code": [":", "i"]}], "hide": [{"keyword": "secret_*"}]}`)
		c.Roles["viewer"] = json.RawMessage(`{"hear": [{"sender": "dome", "command_id": "42"}]}`)
	})
	ana, _ := h.v1("ana")
	eve, _ := h.v1("eve")
	h.pass(time.Hour)
	for _, one := range []struct {
		r    filter.Reply
		body string
	}{
		{filter.Reply{Sender: "dome", Code: "i"}, `{"az": 1}`},
		{filter.Reply{Sender: "dome", Code: "w"}, `{"az": 2}`},
		{filter.Reply{Sender: "dome", Code: "i"}, `{"az": 3, "secret_key": 9}`},
		{filter.Reply{Sender: "dome", Code: "i", CommandID: "42", Commander: "b.dome"}, `{"az": 4}`},
		{filter.Reply{Sender: "dome", Code: "i"}, `{"az": 1}`},
	} {
		h.pass(time.Second)
		h.saysAll(one.r, one.body, 0)
	}
	if got, want := historyOf(t, ana, "dome.az"), "number [1,4,1]"; got != want {
		t.Errorf("a view of some codes is told %s, want %s", got, want)
	}
	if got := historyOf(t, ana, "dome.secret_key"); got != "" {
		t.Errorf("a hidden keyword is told: %s", got)
	}
	if got := historyOf(t, eve, "dome.az"); got != "" {
		t.Errorf("a view that tests command ids, which the history does not keep, is told %s", got)
	}
}

func TestAHistoryKeepsNeitherInternalRepliesNorThoseAside(t *testing.T) {
	h := newHarness(t)
	h.pass(time.Hour)
	h.saysAll(filter.Reply{Sender: "dome", Code: "i", Internal: true}, `{"az": 1}`, 0)
	h.hub.Reply(&hub.Reply{Reply: filter.Reply{Sender: "dome", Code: ":"}, Aside: true,
		Plain: append(make([]byte, engine.MaxHeaderSize), `{"az": 2}`...), BodyAt: engine.MaxHeaderSize}, 0, false)
	if f := h.keywordHistory.Figures(); f.Series != 0 {
		t.Errorf("%d series are kept", f.Series)
	}
}

func TestARequestForHistoryThatIsWrongIsRefusedWithASentence(t *testing.T) {
	h := newHarness(t)
	h.pass(time.Hour)
	c := testkit.DialWebSocketWith(t, ws.Dialer{Protocols: []string{Subprotocol}}, "ws://"+h.addr+"/")
	nextOp(t, c, "hello")
	for fields, want := range map[string]string{
		``:                                   `"keywords" is missing; write`,
		`, "keywords": "a.b"`:                `"keywords" is a string, but must be a list of names`,
		`, "keywords": [1]`:                  `"keywords" is a list with other things than names; write`,
		`, "keywords": null`:                 `"keywords" is null, but must be a list of names`,
		`, "keywords": []`:                   `"keywords" has 0 names, but must have from 1 to 200`,
		`, "keywords": ["a"], "points": 0`:   `"points" is 0, but must be from 1 to 5000 for 1 keywords`,
		`, "keywords": ["a"], "from": "-0s"`: `"from" must be before "to"`,
		`, "keywords": ["a"], "from": "x"`:   `"from" is not a time`,
		`, "keywords": ["a"], "to": []`:      `"to" is a list; write a span`,
		`, "keywords": ["` + strings.Repeat("x", 513) + `"]`:                        `which is 513 bytes long, but may have 512`,
		`, "keywords": [` + strings.Repeat(`"a.b", `, 200) + `"a.b"]`:               `"keywords" has 201 names`,
		`, "keywords": [` + strings.Repeat(`"a.b", `, 99) + `"a.b"], "points": 700`: `must be from 1 to 600 for 100 keywords`,
	} {
		c.Send(`{"op": "history", "id": "h"` + fields + `}`)
		m := nextOp(t, c, "error")
		if message := m["message"].(string); !strings.Contains(message, want) || m["id"] != "h" {
			t.Errorf("%.60s: %v, want %s", fields, m, want)
		}
	}
}

func TestABridgeWithoutHistoryOfKeywordsSaysSo(t *testing.T) {
	h := newHarnessWith(t, func(cfg *Config, _ *testkit.Clock) { cfg.KeywordHistory = 0 })
	c := testkit.DialWebSocketWith(t, ws.Dialer{Protocols: []string{Subprotocol}}, "ws://"+h.addr+"/")
	if hello := nextOp(t, c, "hello"); strings.Contains(fmt.Sprint(hello["capabilities"]), "history") {
		t.Errorf("it offers history: %v", hello)
	}
	c.Send(`{"op": "history", "keywords": ["a.b"]}`)
	if m := nextOp(t, c, "error"); !strings.Contains(m["message"].(string), "--values-bytes") {
		t.Errorf("got %v", m)
	}
}
