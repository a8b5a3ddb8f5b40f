package bridge_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// recordedModel returns what a client must be told of the recorded actor.
func recordedModel(t *testing.T) (commands, keywords any) {
	t.Helper()
	raw, err := os.ReadFile("model/testdata/actor-model.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Sent    string
		Replies []struct{ Body map[string]json.RawMessage }
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		last := c.Replies[len(c.Replies)-1].Body
		switch c.Sent {
		case "realdome get-command-model":
			of, _, err := model.ParseCommandModel(last["command_model"])
			if err != nil {
				t.Fatal(err)
			}
			commands = asSent(t, of)
		case "realdome get_schema":
			of, _, err := model.ParseSchema(last["schema"])
			if err != nil {
				t.Fatal(err)
			}
			keywords = asSent(t, of)
		}
	}
	return commands, keywords
}

// asSent returns a value as a client decodes it.
func asSent(t *testing.T, v any) (decoded any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any(parseEnvelope(t, []byte(`{"v": `+string(raw)+`}`)))["v"]
}

// model asks for an actor's model, until it is no longer being asked for.
func (c *client) model(actor string) envelope {
	c.t.Helper()
	for {
		c.say(`{"op": "model", "id": "m", "actor": "` + actor + `"}`)
		m := c.next()
		for m["op"] != "model" || m["id"] != "m" {
			m = c.next()
		}
		if m["state"] != "asking" {
			return m
		}
	}
}

// modelOnce is model once its commands are as they should be: the first notice of a change may have
// been of an older one.
func (c *client) modelOnce(actor, what string, is func(m envelope) bool) (m envelope) {
	c.t.Helper()
	testkit.Eventually(c.t, testkit.Patience, what, func() error {
		if m = c.model(actor); !is(m) {
			return fmt.Errorf("the commands are %v, the keywords %v", m["commands"], m["keywords"])
		}
		return nil
	})
	return m
}

// awaitNotice reads up to a notice about an actor, whose name is at a key, and returns it.
func (c *client) awaitNotice(op, key, actor string) envelope {
	c.t.Helper()
	for {
		if m := c.next(); m["op"] == op && m[key] == actor && m["id"] == nil {
			return m
		}
	}
}

func TestTheModelOfARealCLUActorIsTheRecordedOneAndFollowsARestart(t *testing.T) {
	python := testkit.CLU(t)
	url := embeddedBroker(t)
	b := linked(t, url)
	c, _ := dialV1(t, b.addr, "/?silent=1")
	c.say(`{"op": "subscribe", "id": "n", "notices": ["models", "actors"]}`)
	equal(t, "the answer", c.next()["op"], any("ok"))
	process := python.StartModelActor(t, url, "realdome", false)

	m := c.model("realdome")
	commands, keywords := recordedModel(t)
	equal(t, "the state, the source and the problem", []any{m["state"], m["source"], m["problem"]}, []any{"known", "get-command-model", nil})
	equal(t, "the commands", m["commands"], commands)
	equal(t, "the keywords", m["keywords"], keywords)

	c.say(`{"consumer": "realdome", "command_string": "status weather"}`)
	c.say(`{"op": "command", "id": "c", "consumer": "realdome", "command_string": "status weather"}`)
	for c.next()["op"] != "result" {
	}
	c.say(`{"op": "snapshot"}`)
	snapshot := c.next()
	for ; snapshot["op"] != "snapshot"; snapshot = c.next() { // a notice about the actor
	}
	kept := snapshot["actors"].(map[string]any)["realdome"].(map[string]any)["keywords"].(map[string]any)
	if kept["humidity"] == nil || kept["schema"] != nil || kept["command_model"] != nil {
		t.Errorf("the snapshot has %v", kept)
	}

	process.Kill()
	testkit.Await(t, process.Done())
	process = python.StartModelActor(t, url, "realdome", true)
	// So quick a restart is not noticed by itself, but that a command is gone is.
	c.say(`{"consumer": "realdome", "command_string": "move north"}`)
	c.awaitNotice("model", "actor", "realdome")
	m = c.modelOnce("realdome", "the model is that of the new process", func(m envelope) bool {
		var names []string
		for _, of := range m["commands"].([]any) {
			names = append(names, of.(map[string]any)["name"].(string))
		}
		return !slices.Contains(names, "move") && slices.Contains(names, "shift") && m["keywords"].(map[string]any)["shift_deg"] != nil
	})

	awaitConsumer := func(want bool) {
		testkit.WaitUntil(t, fmt.Sprint("the consumer is known: ", want), func() bool {
			asks, _ := dialV1(t, b.addr, "/?silent=1")
			defer asks.Close()
			asks.say(`{"op": "actors", "id": "a"}`)
			return asks.next()["actors"].([]any)[0].(map[string]any)["consumer"] == want
		})
	}
	awaitConsumer(true)
	process.Kill()
	awaitConsumer(false)
	equal(t, "the commands of an actor that is gone", c.model("realdome")["commands"], m["commands"])
	python.StartModelActor(t, url, "realdome", false)
	c.awaitNotice("model", "actor", "realdome")
	c.modelOnce("realdome", "the model is the first again", func(m envelope) bool { return reflect.DeepEqual(m["commands"], commands) })
}

func TestTheModelOfABareCLUActorHasItsCommandsAndNoKeywords(t *testing.T) {
	url := embeddedBroker(t)
	testkit.CLU(t).StartActor(t, url, "bare")
	c, _ := dialV1(t, linked(t, url).addr, "/?silent=1")
	m := c.model("bare")
	equal(t, "the state, the source and the keywords", []any{m["state"], m["source"], m["keywords"]}, []any{"known", "get-command-model", map[string]any{}})
	if raw, _ := json.Marshal(m["commands"]); !strings.Contains(string(raw), `"broadcast"`) || !strings.Contains(string(raw), `"type":"int"`) {
		t.Errorf("the commands are %s", raw)
	}
}

// pathActor is a CLU actor with a default that json.dumps does not write, so that its
// get-command-model fails for all commands: URL, name.
const pathActor = `
import asyncio, pathlib, sys
import click
from clu import AMQPActor, command_parser

@command_parser.command()
@click.argument("ANGLE", type=click.FloatRange(0, 90))
async def move(command, angle):
    return command.finish()

@command_parser.command()
@click.option("--to", type=click.Path(path_type=pathlib.Path), default=pathlib.Path("/data"))
async def save(command, to):
    """Saves."""
    return command.finish()

async def main(url, name):
    await AMQPActor(name, url=url, validate=False).start()
    print("ready", flush=True)
    await asyncio.Future()

asyncio.run(main(*sys.argv[1:]))
`

func TestACLUActorWithADefaultThatIsNotJSONLosesTheDescriptionOfThatCommandAlone(t *testing.T) {
	python := testkit.CLU(t)
	url := embeddedBroker(t)
	process := testkit.StartProcess(t, python.Command(t, pathActor, url, "files"))
	process.Output.WaitFor(t, time.Minute, "ready")
	c, _ := dialV1(t, linked(t, url).addr, "/?silent=1")
	c.say(`{"op": "subscribe", "id": "n", "notices": ["models"]}`)
	equal(t, "the answer", c.next()["op"], any("ok"))
	m := c.model("files")
	raw, _ := json.Marshal(m["commands"])
	problem, _ := m["problem"].(string)
	if m["source"] != "get-command-model" || !strings.Contains(string(raw), `"max":90`) || !strings.Contains(string(raw), `"--to"`) || strings.Contains(string(raw), `"unread"`) {
		t.Errorf("from %v the commands are %s", m["source"], raw)
	}
	if !strings.Contains(problem, "cannot describe its command save (") || strings.Count(problem, "cannot describe") != 1 {
		t.Errorf("the problem is %q", problem)
	}
}
