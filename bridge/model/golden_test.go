package model

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// recordedReplies returns the replies to each command of a recorded actor, by the command string.
func recordedReplies(t testing.TB, file string) map[string][]recordedReply {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Sent    string
		Replies []recordedReply
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	all := map[string][]recordedReply{}
	for _, c := range cases {
		_, command, _ := strings.Cut(c.Sent, " ")
		all[command] = c.Replies
	}
	return all
}

type recordedReply struct {
	Headers struct {
		Code string `json:"message_code"`
	}
	Body json.RawMessage
}

// recordedAnswer returns the whole answer to a command.
func recordedAnswer(t testing.TB, file, command string) (got answer) {
	t.Helper()
	replies := recordedReplies(t, file)[command]
	if replies == nil {
		t.Fatalf("%s was not sent to the actor of %s", command, file)
	}
	for _, r := range replies {
		got.read(r.Body, maxAnswer)
		got.done = r.Headers.Code == ":"
	}
	return got
}

// asJSON writes a value as clients get it.
func asJSON(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestTheCommandModelOfCLUIsReadWithTypesChoicesAndRanges(t *testing.T) {
	commands, left, err := ParseCommandModel(recordedAnswer(t, "actor-model.json", "get-command-model").model)
	if err != nil || left != "" {
		t.Fatal(left, err)
	}
	var names []string
	for _, c := range commands {
		names = append(names, c.Name)
	}
	if want := "get-command-model get_schema help keyword long move ping secret status version"; strings.Join(names, " ") != want {
		t.Errorf("the commands are %v", names)
	}
	want := `{"name":"move","help":"Moves a shutter.\n\nSIDE is the shutter, ANGLE where to.","deprecated":false,"params":[` +
		`{"name":"side","kind":"argument","opts":["SIDE"],"type":"choice","choices":["north","south","both"],"required":true,"nargs":1,"multiple":false,"default":null,"flag":false,"count":false,"help":""},` +
		`{"name":"angle","kind":"argument","opts":["ANGLE"],"type":"float","min":0,"max":90,"required":false,"nargs":1,"multiple":false,"default":null,"flag":false,"count":false,"help":""},` +
		`{"name":"speed","kind":"option","opts":["--speed","-s"],"type":"float","required":false,"nargs":1,"multiple":false,"default":1.5,"flag":false,"count":false,"help":"Degrees a second."},` +
		`{"name":"force","kind":"option","opts":["--force"],"type":"bool","required":false,"nargs":1,"multiple":false,"default":false,"flag":true,"count":false,"help":"Move although the wind is high."},` +
		`{"name":"filters","kind":"option","opts":["--filter","-f"],"type":"text","required":false,"nargs":1,"multiple":true,"default":null,"flag":false,"count":false,"help":"May be repeated."}]}`
	if got := asJSON(t, findCommand(commands, []string{"move"})); got != want {
		t.Errorf("move is\n%s, want\n%s", got, want)
	}
	weather := findCommand(commands, []string{"status", "weather"})
	if weather == nil || len(weather.Params) != 1 || !weather.Params[0].Count || weather.Params[0].Min != nil {
		t.Errorf("the subcommand is %+v", weather)
	}
	if secret := findCommand(commands, []string{"secret"}); !secret.Hidden {
		t.Error("the hidden command is not hidden")
	}
}

func TestTheModelOfOneCommandIsRead(t *testing.T) {
	commands, _, err := ParseCommandModel(recordedAnswer(t, "actor-model.json", "get-command-model move").model)
	if err != nil || len(commands) != 1 || commands[0].Name != "move" || len(commands[0].Params) != 5 {
		t.Errorf("%+v, %v", commands, err)
	}
}

func TestTheSchemaOfAnActorIsReadWithUnits(t *testing.T) {
	keywords, left, err := ParseSchema(recordedAnswer(t, "actor-model.json", "get_schema").schema)
	if err != nil || left != "" {
		t.Fatal(left, err)
	}
	want := `{"axis":{"type":"object","members":{"alt":{"type":"number","unit":"deg","unit_from":"schema"},"az":{"type":"number","unit":"deg","unit_from":"schema"}}},` +
		`"dome_status":{"type":"string","description":"Status bits of the dome, as hex"},` +
		`"dome_status_labels":{"type":"string","description":"Names of the bits, comma separated"},` +
		`"enabled":{"type":"boolean"},` +
		`"filters":{"type":"array","description":"Filters mounted","items":{"type":"string"}},` +
		`"humidity":{"type":"number","unit":"%","unit_from":"schema","description":"Relative humidity inside the dome","min":0,"max":100}}`
	if got := asJSON(t, keywords); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestTheSchemaOfABareActorHasNoKeywordsOfItsOwn(t *testing.T) {
	keywords, _, err := ParseSchema(recordedAnswer(t, "actor-bare.json", "get_schema").schema)
	if err != nil || len(keywords) != 0 {
		t.Errorf("%v, %v", keywords, err)
	}
}

func TestTheHelpOfAnActorListsItsCommands(t *testing.T) {
	commands, ok := parseHelp(recordedAnswer(t, "actor-model.json", "help").help)
	var got []string
	for _, c := range commands {
		got = append(got, c.Name+": "+c.Help)
	}
	want := []string{
		"get-command-model: Returns a dictionary representation of the command...",
		"get_schema: Returns the schema of the actor as a JSON schema.",
		"help: Shows the help.",
		"keyword: Prints human-readable information about a keyword.",
		"long: Takes a minute.",
		"move: Moves a shutter.",
		"ping: Pings the actor.",
		"status: Statuses.",
		"version: Reports the version.",
	}
	if !ok || !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestTheHelpOfACommandTellsWhatItsTextSays(t *testing.T) {
	c, group := parseCommandHelp("move", recordedAnswer(t, "actor-model.json", "help move").help)
	want := `{"name":"move","help":"Moves a shutter.\n\nSIDE is the shutter, ANGLE where to.","deprecated":false,"params":[` +
		`{"name":"{north|south|both}","kind":"argument","opts":["{north|south|both}"],"type":"choice","choices":["north","south","both"],"required":true,"nargs":1,"multiple":false,"default":null,"flag":false,"count":false,"help":""},` +
		`{"name":"angle","kind":"argument","opts":["ANGLE"],"type":"other","required":false,"nargs":1,"multiple":false,"default":null,"flag":false,"count":false,"help":""},` +
		`{"name":"speed","kind":"option","opts":["-s","--speed"],"type":"float","required":false,"nargs":1,"multiple":false,"default":1.5,"flag":false,"count":false,"help":"Degrees a second."},` +
		`{"name":"force","kind":"option","opts":["--force"],"type":"bool","required":false,"nargs":1,"multiple":false,"default":null,"flag":true,"count":false,"help":"Move although the wind is high."},` +
		`{"name":"filter","kind":"option","opts":["-f","--filter"],"type":"text","required":false,"nargs":1,"multiple":false,"default":null,"flag":false,"count":false,"help":"May be repeated."}]}`
	if got := asJSON(t, c); group || got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	c, _ = parseCommandHelp("status weather", recordedAnswer(t, "actor-model.json", "help status weather").help)
	if c.Name != "weather" || c.Help != "Reports the weather." || len(c.Params) != 1 || c.Params[0].Name != "verbose" {
		t.Errorf("the subcommand is %+v", c)
	}
}

func TestAUnitInTheHelpOfAnArgumentIsItsUnit(t *testing.T) {
	for _, of := range []struct{ kind, help, want, unit string }{
		{"float", "Where to. [deg]", "Where to.", "deg"},
		{"int", "How many [deg/s]", "How many", "deg/s"},
		{"float", "[°C]", "", "°C"},
		{"float", "Where to [in degrees].", "Where to [in degrees].", ""},
		{"choice", "Where to. [a|b]", "Where to. [a|b]", ""},
		{"float", "Where to. [x>0]", "Where to. [x>0]", ""},
		{"float", "Where to. [required]", "Where to. [required]", ""},
	} {
		p := Param{Type: of.kind, Help: of.help}
		if p.takeUnit(); p.Help != of.want || p.Unit != of.unit {
			t.Errorf("%s: %q, %q", of.help, p.Help, p.Unit)
		}
	}
}

// The lines are click 8.5's.
func TestTheHelpOfDescribedArgumentsIsRead(t *testing.T) {
	c, _ := parseCommandHelp("move", []string{
		"Usage: dome move [OPTIONS] {north|south} [ANGLE] [fast|slow] [REST]...",
		"", "  Moves a shutter.", "",
		"Positional arguments:", "  {north|south}  The shutter.", "  [ANGLE]        Where", "                 to. [deg]", "  [fast|slow]", "  [REST]...", "",
		"Options:", "  --speed RATE      How fast. [deg/s]  [default: 1.5; 0<x<=9]", "  --track / --no-track", "                    Tracks.", "  --mode MODE       [required]", "  --help            Show this message and exit.",
	})
	want := `[{"name":"{north|south}","kind":"argument","opts":["{north|south}"],"type":"choice","choices":["north","south"],"required":true,"nargs":1,"multiple":false,"default":null,"flag":false,"count":false,"help":"The shutter."},` +
		`{"name":"angle","kind":"argument","opts":["ANGLE"],"type":"other","required":false,"nargs":1,"multiple":false,"default":null,"flag":false,"count":false,"help":"Where to.","unit":"deg"},` +
		`{"name":"fast|slow","kind":"argument","opts":["fast|slow"],"type":"choice","choices":["fast","slow"],"required":false,"nargs":1,"multiple":false,"default":null,"flag":false,"count":false,"help":""},` +
		`{"name":"rest","kind":"argument","opts":["REST"],"type":"other","required":false,"nargs":-1,"multiple":false,"default":null,"flag":false,"count":false,"help":""},` +
		`{"name":"speed","kind":"option","opts":["--speed"],"type":"other","min":0,"max":9,"min_open":true,"required":false,"nargs":1,"multiple":false,"default":"1.5","flag":false,"count":false,"help":"How fast.","unit":"deg/s"},` +
		`{"name":"track","kind":"option","opts":["--track"],"off_opts":["--no-track"],"type":"bool","required":false,"nargs":1,"multiple":false,"default":null,"flag":true,"count":false,"help":"Tracks."},` +
		`{"name":"mode","kind":"option","opts":["--mode"],"type":"other","required":true,"nargs":1,"multiple":false,"default":null,"flag":false,"count":false,"help":""}]`
	if got := asJSON(t, c.Params); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}
