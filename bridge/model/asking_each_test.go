package model

import (
	"strings"
	"testing"
)

const (
	notSerializable = `f {"error": "Object of type PosixPath is not JSON serializable"}`
	twoCommands     = `: {"help": ["Usage: dome [OPTIONS] COMMAND [ARGS]...", "", "Commands:", "  get-command-model  Describes.", "  move  Moves.", "  save  Saves."]}`
	saveHelp        = `: {"help": ["Usage: dome save [OPTIONS]", "", "  Saves.", "", "Options:", "  --to PATH  Where to.", "  --help     Show this message and exit."]}`
	moveModel       = `: {"command_model": {"name": "move", "params": [{"name": "az", "param_type_name": "argument", "opts": ["AZ"], "type": {"param_type": "Float"}}]}}`
)

func TestADefaultThatCannotBeToldCostsTheDescriptionOfItsCommandAlone(t *testing.T) {
	f := newFakeActors(t, map[string][]string{
		"get-command-model": {notSerializable}, "__commands": {refused}, "help": {twoCommands},
		"get-command-model move": {moveModel}, "get-command-model save": {notSerializable}, "help save": {saveHelp},
		"help get-command-model": {refused}, "get_schema": {oneSchema},
	})
	m := f.model("dome")
	f.says("dome get-command-model", "dome __commands", "dome help", "dome help get-command-model", "dome get-command-model move",
		"dome get-command-model save", "dome help save", "dome get_schema")
	move, save := findCommand(m.Commands, []string{"move"}), findCommand(m.Commands, []string{"save"})
	if m.State != Known || m.Source != FromCommandModel || move.Params[0].Type != "float" || len(save.Params) != 1 || save.Params[0].Opts[0] != "--to" {
		t.Errorf("%s: %+v", asJSON(t, m.Commands), m)
	}
	if want := "The actor cannot describe its command save (Object of type PosixPath is not JSON serializable); its help was read, instead."; m.Problem != want {
		t.Errorf("the problem is %q", m.Problem)
	}
}

func TestAnActorThatDescribesNoCommandIsReadByItsHelp(t *testing.T) {
	answers := map[string][]string{"get-command-model": {notSerializable}, "__commands": {`: {"help": ["get-command-model", "a", "b", "c", "d", "e", "f"]}`}, "get_schema": {oneSchema}}
	for _, name := range strings.Fields("get-command-model a b c d e f") {
		answers["get-command-model "+name] = []string{notSerializable}
		answers["help "+name] = []string{saveHelp}
	}
	answers["get-command-model a"] = []string{`: {"command_model": [1]}`}
	m := newFakeActors(t, answers).model("dome")
	if m.Source != FromCommands || len(m.Commands) != 7 || strings.Count(m.Problem, "cannot describe") != 4 || !strings.Contains(m.Problem, "a (its answer cannot be read)") {
		t.Errorf("%+v", m)
	}
	for _, c := range m.Commands {
		if c.Unread || len(c.Params) != 1 {
			t.Errorf("%+v", c)
		}
	}
}
