package bridge_test

import (
	"encoding/json"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The dome's answers to the bridge's questions.
const (
	domeCommandModel = `{"command_model": {"name": "command-parser", "params": [], "commands": {"rotate": {"name": "rotate", "help": "Rotates the opening.", "hidden": false, "deprecated": false, "params": [
		{"name": "az", "param_type_name": "argument", "opts": ["AZ"], "secondary_opts": [], "type": {"param_type": "FloatRange", "name": "float range", "min": 0, "max": 360, "min_open": false, "max_open": true, "clamp": false}, "required": true, "nargs": 1, "multiple": false, "default": null, "envvar": null, "help": null},
		{"name": "mode", "param_type_name": "option", "opts": ["--mode", "-m"], "secondary_opts": [], "type": {"param_type": "Choice", "name": "choice", "choices": ["fast", "slow"], "case_sensitive": true}, "required": false, "nargs": 1, "multiple": false, "default": "fast", "envvar": null, "help": "How to rotate.", "prompt": null, "is_flag": false, "flag_value": null, "count": false, "hidden": false}]}}}}`
	domeSchema = `{"type": "object", "properties": {"dome_az_deg": {"type": "number", "description": "Azimuth of the opening", "minimum": 0, "maximum": 360}}}`
)

// tellsModel answers a question of the bridge about the dome, and reports whether it was one.
func (p *peer) tellsModel(d amqp.Delivery) bool {
	var c struct {
		CommandString string `json:"command_string"`
	}
	if json.Unmarshal(d.Body, &c) != nil {
		return false
	}
	schema, _ := json.Marshal(map[string]string{"schema": domeSchema})
	body, asked := map[string][]byte{"get-command-model": []byte(domeCommandModel), "get_schema": schema}[c.CommandString]
	if !asked {
		return false
	}
	says := domeSays(":", d.Headers["command_id"])
	says.Body = body
	_ = p.ch.Publish(d.Exchange, "reply.bridge.dome", false, false, says)
	return true
}

// changeModel makes the dome refuse a command of its model, so that those who want to know are told
// that the model is another one.
func (th *docHarness) changeModel() {
	th.t.Helper()
	c := th.dial("/")
	c.say(`{"op": "subscribe", "id": "n", "notices": ["models"]}`)
	th.until(c, "ok")
	c.say(`{"op": "model", "id": "m", "actor": "dome"}`)
	th.until(c, "model")
	refusal := domeSays("w", "c")
	refusal.Body = []byte(`{"help": ["NoSuchCommand: No such command 'rotate'."]}`)
	th.p.publish("reply.bridge.dome", refusal)
	th.until(c, "model")
}
