package bridge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// tellModels answers the bridge's questions about the dome until the test ends, and returns the
// questions. It has the other commands answered with a keyword.
func (p *peer) tellModels() <-chan string {
	p.t.Helper()
	questions := make(chan string, 100)
	commands := p.hear("command.dome.#")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for d := range commands {
			if p.tellsModel(d) {
				questions <- fmt.Sprintf("%s internal=%v log=%v expires=%s", d.Body, d.Headers["internal"], d.Headers["write_to_log"], d.Expiration)
			}
		}
	}()
	p.t.Cleanup(func() { p.ch.Close(); <-ended })
	return questions
}

func TestAClientLearnsThePartsOfAModelWhoseRepliesItWouldHear(t *testing.T) {
	cases := map[string]struct{ grants, want string }{
		"all":             {`{"hear": [{}]}`, "known get-command-model 1 <nil>"},
		"dome":            {`{"hear": [{"sender": "dome"}]}`, "known get-command-model 1 <nil>"},
		"mount":           {`{"hear": [{"sender": "mount"}], "own": true}`, "forbidden"},
		"nothing":         {`{}`, "forbidden"},
		"schema":          {`{"hear": [{"keyword": "schema"}]}`, "partial <nil> 1 You may not hear the actor's answer about its commands."},
		"commands":        {`{"hear": [{"keyword": "command_model"}]}`, "partial get-command-model 0 You may not hear the actor's answer about its keywords."},
		"hidden":          {`{"hear": [{}], "hide": [{"sender": "dome"}]}`, "forbidden"},
		"hidden schema":   {`{"hear": [{}], "hide": [{"keyword": "schema"}]}`, "partial get-command-model 0 You may not hear the actor's answer about its keywords."},
		"own":             {`{"own": true, "command": [{"consumer": "dome"}]}`, "known get-command-model 1 <nil>"},
		"own, one verb":   {`{"own": true, "command": [{"verb": "get_schema"}]}`, "partial <nil> 1 You may not hear the actor's answer about its commands."},
		"not own":         {`{"command": [{"consumer": "dome"}]}`, "forbidden"},
		"own but hidden":  {`{"own": true, "hear": [], "hide": [{"sender": "dome"}], "command": [{}]}`, "forbidden"},
		"without a model": {`{"hear": [{"message_code": "i"}]}`, "forbidden"},
	}
	grants := map[string]string{}
	for name, c := range cases {
		grants[name] = c.grants
	}
	url := embeddedBroker(t)
	g := guard(t, url, grants)
	questions := newPeer(t, url).tellModels()
	for name, want := range cases {
		c := g.v1(name)
		c.say(`{"op": "model", "id": "m", "actor": "dome"}`)
		m := c.answer("model", "error")
		for m["state"] == "asking" { // a crowded machine's actor takes its time
			c.say(`{"op": "model", "id": "m", "actor": "dome"}`)
			m = c.answer("model", "error")
		}
		got, _ := m["code"].(string)
		if m["op"] == "model" {
			got = fmt.Sprint(m["state"], " ", m["source"], " ", len(m["keywords"].(map[string]any)), " ", m["problem"])
		}
		if got != want.want {
			t.Errorf("%s: %s, want %s", name, got, want.want)
		}
	}
	for _, words := range []string{"get-command-model", "get_schema"} {
		want := `{"command_string":"` + words + `"} internal=true log=false expires=10000`
		equal(t, "a question", testkit.Receive(t, questions), want)
	}
	if len(questions) > 0 {
		t.Errorf("it was asked again: %s", <-questions)
	}
}

func TestTheOperatorsUnitsAndThoseOfHeardKeywordsAreInAModel(t *testing.T) {
	url := embeddedBroker(t)
	described := &site.Config{Keywords: map[string]site.Keyword{
		"dome.dome_az_deg": {Unit: "arcmin"}, "dome.extra": {Description: "Of no schema"}, "mount.az_deg": {Unit: "deg"},
	}}
	b := linked(t, url, func(c *bridge.Config) { c.Site = described })
	p := newPeer(t, url)
	p.tellModels()
	c, _ := dialV1(t, b.addr, "/?sender=dome")
	says := domeSays("i", nil)
	says.Body = []byte(`{"inside_temp_c": 5, "mode_s": "text", "dome_az_deg": 1, "count": 1}`)
	p.publish("reply.broadcast", says)
	for c.next()["body"] == nil {
	}
	keywords := c.model("dome")["keywords"].(map[string]any)
	for name, want := range map[string]string{
		"dome_az_deg":   "number arcmin site Azimuth of the opening",
		"extra":         "any <nil> <nil> Of no schema",
		"inside_temp_c": "any °C suffix <nil>",
	} {
		k, _ := keywords[name].(map[string]any)
		if got := fmt.Sprint(k["type"], " ", k["unit"], " ", k["unit_from"], " ", k["description"]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	equal(t, "how many keywords there are", len(keywords), 3)
}

func TestARequestForAModelThatIsWrongSaysHowToMendIt(t *testing.T) {
	c, _ := dialV1(t, startBridge(t, "amqp://127.0.0.1:1/").addr, "/")
	for request, want := range map[string]string{
		`{"op": "model"}`:                                              `"model" needs an "actor", the name of one`,
		`{"op": "model", "actor": ""}`:                                 `"model" needs an "actor", the name of one`,
		`{"op": "model", "actor": 5}`:                                  `"actor"`,
		`{"op": "model", "actor": "dome", "refresh": 1}`:               `"refresh"`,
		`{"op": "model", "actor": "` + strings.Repeat("x", 300) + `"}`: "fit an AMQP routing key",
		`{"op": "model", "actor": "dome", "fresh": true}`:              `"model" has no field "fresh"; it has id, actor, refresh`,
	} {
		c.say(request)
		if m := c.answer("error"); m["code"] != "bad_request" || !strings.Contains(m["message"].(string), want) {
			t.Errorf("%s: %v", request, m)
		}
	}
	c.say(`{"op": "model", "actor": "dome"}`)
	if m := c.answer("model"); m["state"] != "none" || m["problem"] != "The command was not sent: there is no connection to the broker." {
		t.Errorf("without a broker: %v", m)
	}
}

func TestNoClientMayUseTheIdOfAQuestion(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	commands := newPeer(t, url).hear("command.dome.#")
	c, _ := dialV1(t, b.addr, "/?silent=1")
	const id = "model-0dd1607a-8cde-415f-9bac-ba2ef8557153"
	c.say(`{"op": "command", "id": "a", "consumer": "dome", "command_string": "open", "command_id": "` + id + `"}`)
	if m := c.answer("error", "ok"); m["code"] != "in_use" || m["command_id"] != id {
		t.Errorf("it is answered with %v", m)
	}
	c.say(`{"op": "command", "id": "a", "consumer": "dome", "command_string": "open", "command_id": "model-1"}`)
	c.answer("ok")
	equal(t, "the command that was sent", testkit.Receive(t, commands).CorrelationId, "model-1")
}
