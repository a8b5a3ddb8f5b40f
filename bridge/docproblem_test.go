package bridge_test

import (
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// docSite is the configuration that the answer to site shows.
func docSite() *site.Config {
	high, critical := 85.0, 95.0
	return &site.Config{
		Title:      "Example Observatory",
		Keywords:   map[string]site.Keyword{"dome.humidity": {Unit: "%", Description: "Relative humidity", High: &high, HighCritical: &critical}},
		Conditions: []site.ConditionConfig{{Name: "unsafe", When: "weather.is_safe == false", Level: "critical", Text: "The weather is not safe"}},
		Pins:       map[string][]string{"dome": {"dome_open", "humidity"}},
		Dangerous:  []site.Dangerous{{Consumer: []string{"dome"}, Verb: []string{"open"}}},
		Boards: site.Boards{List: []site.Board{{Name: "night", Title: "The night", Items: []site.Item{
			{Plot: []string{"dome.humidity"}, Range: "6h"}, {Keywords: []string{"dome.dome_open"}}, {Log: "q=dome"}, {Actor: "dome"},
		}}}},
	}
}

// domeWarns is a broadcast of the dome that says what is wrong.
func domeWarns(code, text string) amqp.Publishing {
	says := domeSays(code, nil)
	says.Headers["commander_id"] = nil
	says.Body = []byte(`{"text": "` + text + `"}`)
	return says
}

// changeProblems lets the dome say of another problem; the first one was acknowledged.
func (th *docHarness) changeProblems() {
	th.t.Helper()
	c := th.dial("/")
	c.say(`{"op": "subscribe", "id": "n", "notices": ["problems"]}`)
	th.until(c, "ok")
	th.p.publish("reply.broadcast", domeWarns("w", "disk 80 % full"))
	th.until(c, "problem")
}

// changeSite reloads another configuration of the observatory.
func (th *docHarness) changeSite() {
	th.t.Helper()
	c := th.dial("/")
	c.say(`{"op": "subscribe", "id": "n", "notices": ["site"]}`)
	th.until(c, "ok")
	if err := th.b.Reload(bridge.Reload{Site: &site.Config{Title: "Another Observatory"}}); err != nil {
		th.t.Error(err)
	}
	th.until(c, "site")
}
