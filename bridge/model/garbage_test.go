package model

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestAnActorThatAnswersGarbageIsSaidToAndHarmsNothing(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000)
	tooDeep := strings.Repeat(`[`, 100_000) + strings.Repeat("]", 100_000)
	for name, c := range map[string]struct {
		answers map[string][]string
		problem string
		state   State
	}{
		"no keyword":               {map[string][]string{"get-command-model": {": {}"}, "get_schema": {": {}"}}, "cannot be read", None},
		"other types":              {map[string][]string{"get-command-model": {`: {"command_model": [1]}`}, "get_schema": {`: {"schema": 5}`}}, "what click makes of commands: it is a list; its help", None},
		"a member of another type": {map[string][]string{"get-command-model": {oneCommand}, "get_schema": {`: {"schema": {"properties": "x"}}`}}, "properties is a text.", Partial},
		"broken schema":            {map[string][]string{"get-command-model": {oneCommand}, "get_schema": {": " + quoted("schema", "{")}}, "not a JSON Schema", Partial},
		"no properties":            {map[string][]string{"get-command-model": {oneCommand}, "get_schema": {": " + quoted("schema", "{}")}}, `no "properties"`, Partial},
		"a legacy actor's string": {map[string][]string{
			"get-command-model": {": " + quoted("command_model", `{"name": "p", "params": [], "commands": {"open": {"name": "open", "params": []}}}`)}, "get_schema": {oneSchema},
		}, "", Known},
		"megabytes":       {map[string][]string{"get-command-model": {`: {"command_model": "` + strings.Repeat("x", maxAnswer) + `"}`}, "get_schema": {oneSchema}}, "longer than 4194304 bytes", Partial},
		"many replies":    {map[string][]string{"get-command-model": {`i {"text": "` + strings.Repeat("x", maxAnswer-20) + `"}`, oneCommand}, "get_schema": {oneSchema}}, "longer than 4194304 bytes", Partial},
		"deep schema":     {map[string][]string{"get-command-model": {oneCommand}, "get_schema": {`: {"schema": {"properties": ` + deep + `}}`}}, "", Known},
		"too deep schema": {map[string][]string{"get-command-model": {oneCommand}, "get_schema": {`: {"schema": {"properties": ` + tooDeep + `}}`}}, "cannot be read", Partial},
		"endless replies": {map[string][]string{"get-command-model": slicesOf("i {}", maxReplies), "get_schema": {oneSchema}}, "answers neither", Partial},
	} {
		for _, command := range []string{"__commands", "help"} {
			c.answers[command] = []string{refused}
		}
		m := newFakeActors(t, c.answers).model("dome")
		if m.State != c.state || !strings.Contains(m.Problem, c.problem) || c.problem == "" && m.Problem != "" {
			t.Errorf("%s: %s, %q", name, m.State, m.Problem)
		}
	}
}

func slicesOf(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

// manyOf returns a JSON object with n members that have the same value.
func manyOf(n int, value string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%06d":%s`, i, value)
	}
	return "{" + b.String()[1:] + "}"
}

func TestWhatIsTooMuchIsLeftOutAndTold(t *testing.T) {
	_, left, err := ParseCommandModel(json.RawMessage(`{"commands": ` + manyOf(maxCommands+1, `{"params": []}`) + `}`))
	if want := "The actor's command model is too large: left out are commands beyond the first 1000, or deeper than 8 groups."; err != nil || left != want {
		t.Errorf("commands: %q, %v", left, err)
	}
	params := `[` + strings.Repeat(`{"name": "x"},`, maxParams) + `{"name": "y"}, {"name": "z"}]`
	commands, left, err := ParseCommandModel(json.RawMessage(`{"commands": {"a": {"params": ` + params + `}, "b": 5, "c": {"params": [7]}}}`))
	if err != nil || len(commands) != 3 || len(commands[0].Params) != maxParams || !strings.Contains(left, "parameters beyond the first 100, parameters of commands that cannot be read, parameters that cannot be read") {
		t.Errorf("parameters: %d, %q, %v", len(commands), left, err)
	}
	choices := `["` + strings.Repeat("x", maxWordBytes+1) + `"` + strings.Repeat(`, 5`, maxWords+1) + `]`
	commands, left, err = ParseCommandModel(json.RawMessage(`{"commands": {"a": {"params": [{"name": "x", "type": {"param_type": "Choice", "choices": ` + choices + `}}]}}}`))
	if err != nil || len(commands[0].Params[0].Choices) != maxWords || !strings.Contains(left, "choices") {
		t.Errorf("choices: %q, %v", left, err)
	}
	keywords, left, err := ParseSchema(json.RawMessage(`{"properties": ` + manyOf(maxKeywords+1, `{"type": "number"}`) + `}`))
	if err != nil || len(keywords) != maxKeywords || !strings.Contains(left, "keywords beyond the first 4000") {
		t.Errorf("keywords: %d, %q, %v", len(keywords), left, err)
	}
	nested := strings.Repeat(`{"properties": {"a": `, 20) + `{}` + strings.Repeat(`}}`, 20)
	if _, left, err := ParseSchema(json.RawMessage(nested)); err != nil || !strings.Contains(left, "deeper than 8 objects") {
		t.Errorf("nested: %q, %v", left, err)
	}
}

func TestOneBadCommandOfAModelCostsNoOther(t *testing.T) {
	const good = `"move": {"params": [{"name": "az", "param_type_name": "argument", "opts": ["AZ"], "default": 5}]}`
	long := `"` + strings.Repeat("x", maxValueBytes) + `"`
	for _, c := range []struct{ bad, want string }{
		{`5`, `{"name":"bad","help":"","deprecated":false,"params":[],"unread":true}`},
		{`{"help": 5, "params": []}`, `{"name":"bad","help":"","deprecated":false,"params":[],"unread":true}`},
		{`{"help": "Helps.", "params": {}}`, `{"name":"bad","help":"Helps.","deprecated":false,"params":[],"unread":true}`},
		{`{"params": [{"name": "x", "nargs": "two"}]}`, `{"name":"bad","help":"","deprecated":false,"params":[],"unread":true}`},
		{`{"params": [{"name": "x", "default": ` + long + `}]}`,
			`{"name":"bad","help":"","deprecated":false,"params":[{"name":"x","kind":"option","opts":[],"type":"other","required":false,"nargs":0,"multiple":false,"default":null,"flag":false,"count":false,"help":""}]}`},
	} {
		commands, left, err := ParseCommandModel(json.RawMessage(`{"name": 5, "params": 5, "commands": {"bad": ` + c.bad + `, ` + good + `}}`))
		if err != nil || len(commands) != 2 || asJSON(t, commands[0]) != c.want || left == "" {
			t.Errorf("%.60s: %s, %q, %v", c.bad, asJSON(t, commands), left, err)
			continue
		}
		if move := commands[1]; move.Unread || len(move.Params) != 1 || string(move.Params[0].Default) != "5" {
			t.Errorf("%.60s: the other command is %s", c.bad, asJSON(t, move))
		}
	}
}

func TestASchemaMayReferAndHaveAlternatives(t *testing.T) {
	keywords, left, err := ParseSchema(json.RawMessage(`{
		"definitions": {"angle": {"type": "number", "unit": "deg", "minimum": 0}, "loop": {"$ref": "#/definitions/loop"}},
		"$defs": {"state": {"enum": ["a", "b"], "type": "string"}},
		"properties": {
			"alt": {"$ref": "#/definitions/angle", "description": "Altitude"},
			"maybe_s": {"oneOf": [{"type": "null"}, {"type": "number"}]},
			"either": {"anyOf": [{"type": "string"}, {"type": "number"}]},
			"nullable_c": {"type": ["null", "integer", "number"]},
			"state": {"$ref": "#/$defs/state"},
			"loop": {"$ref": "#/definitions/loop"},
			"nowhere": {"$ref": "http://x/y"},
			"fixed": {"const": 5},
			"temps_c": {"type": "array", "items": {"type": "number"}},
			"tuple": {"type": "array", "items": [{"type": "number"}]},
			"wrong": 5, "worse": {"type": 5, "description": 5, "minimum": "x", "enum": 5},
			"group": {"properties": {"x_deg": {"type": "number", "units": " deg "}}}
		}}`))
	if err != nil || left != "" {
		t.Fatal(left, err)
	}
	for name, want := range map[string]string{
		"alt":        `{"type":"number","unit":"deg","unit_from":"schema","description":"Altitude","min":0}`,
		"maybe_s":    `{"type":"number","nullable":true,"unit":"s","unit_from":"suffix"}`,
		"either":     `{"type":"any"}`,
		"nullable_c": `{"type":"number","nullable":true,"unit":"°C","unit_from":"suffix"}`,
		"state":      `{"type":"string","enum":["a","b"]}`,
		"loop":       `{"type":"any"}`,
		"nowhere":    `{"type":"any"}`,
		"fixed":      `{"type":"any","enum":[5]}`,
		"temps_c":    `{"type":"array","unit":"°C","unit_from":"suffix","items":{"type":"number","unit":"°C","unit_from":"suffix"}}`,
		"tuple":      `{"type":"array"}`,
		"wrong":      `{"type":"any"}`,
		"worse":      `{"type":"any"}`,
		"group":      `{"type":"object","members":{"x_deg":{"type":"number","unit":"deg","unit_from":"schema"}}}`,
	} {
		if got := asJSON(t, keywords[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestTheUnitOfAKeywordIsThatOfItsSuffix(t *testing.T) {
	for name, want := range map[string]string{
		"wind_speed_ms": "m/s", "gust_ms": "m/s", "latency_ms": "ms", "response_time_ms": "ms", "wind_speed_avg_ms": "m/s", "wind_speed_ms_max": "m/s",
		"alt_deg": "deg", "ccd_temp_c": "°C", "temperature_c_mean": "°C", "camera_a": "", "lamp_current_a": "A", "mag_v": "", "battery_v": "V", "supply_voltage_v": "V",
		"cryostat_temp_k": "K", "order_k": "", "exposure_time_s": "s", "humidity_percent": "%", "humidity_pct": "%", "pressure_hpa": "hPa", "p_torr": "Torr",
		"deg": "", "s": "", "ms": "", "temp": "", "": "", "_": "", "limit_min": "", "alt_min": "", "time_h": "h", "half_h": "", "dome_height_m": "m", "am_m": "",
		"TEMP_C": "°C", "freq_mhz": "MHz", "cooler_power_w": "W", "size_mb": "MB",
	} {
		if got := UnitOf(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestWhatTheOperatorSaysOfAKeywordCounts(t *testing.T) {
	schema := map[string]Keyword{"a_deg": {Type: "number", Unit: "deg", UnitFrom: fromSuffix}, "list": {Type: "array", Items: &Keyword{Type: "number"}}}
	before := asJSON(t, schema)
	got := WithSite(schema, []string{"a_deg"}, "arcsec", "Error")
	got = WithSite(got, []string{"list", "0"}, "V", "")
	got = WithSite(got, []string{"new", "x"}, "", "Of an actor without a schema")
	got = WithSite(got, nil, "V", "")
	got = WithSite(got, strings.Split("a.b.c.d.e.f.g.h.i.j", "."), "V", "")
	want := `{"a_deg":{"type":"number","unit":"arcsec","unit_from":"site","description":"Error"},` +
		`"list":{"type":"array","items":{"type":"number","unit":"V","unit_from":"site"}},` +
		`"new":{"type":"any","members":{"x":{"type":"any","description":"Of an actor without a schema"}}}}`
	if asJSON(t, got) != want || asJSON(t, schema) != before {
		t.Errorf("got %s, and the schema is %s", asJSON(t, got), asJSON(t, schema))
	}
	heard := WithHeard(schema, []string{"a_deg", "temp_c", "count"})
	if asJSON(t, heard["temp_c"]) != `{"type":"any","unit":"°C","unit_from":"suffix"}` || len(heard) != 3 || asJSON(t, schema) != before {
		t.Errorf("with what was heard: %s", asJSON(t, heard))
	}
	if WithHeard(nil, []string{"count"}) != nil || len(WithHeard(nil, []string{"x_s"})) != 1 {
		t.Error("without a schema")
	}
}

func TestTheIdsOfQuestionsAreRecognized(t *testing.T) {
	if id := newQuestionID(); !IsQuestion(id) {
		t.Errorf("%s is not", id)
	}
	for _, id := range []string{"", "model-", "model-1", "model-{0dd1607a-8cde-415f-9bac-ba2ef8557153}", "0dd1607a-8cde-415f-9bac-ba2ef8557153", "model-0dd1607a-8cde-415f-9bac-ba2ef855715x"} {
		if IsQuestion(id) {
			t.Errorf("%s is", id)
		}
	}
}
