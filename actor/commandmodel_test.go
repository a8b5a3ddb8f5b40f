package actor

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// moveUsage and moveHelp are the command of moveScript.
const (
	moveUsage = "move SIDE:north|south|both [ANGLE:float(0..90)] [REST:int]... [--speed RATE:float(0<..)=1.5] [--count N:int(1..8)] [--below X:float(..<1000)] [--when STATE:day|night=day] --mode MODE:a|b [--note TEXT] [--force]"
	moveHelp  = `Moves a shutter.

		Second paragraph.

		SIDE     The shutter.
		ANGLE    Where to. [deg]
		--speed  How fast. [deg/s]
		--mode   The mode.`
)

const moveScript = `
import json, sys
import click
from clu.parsers.click import CluCommand, command_parser
from unclick.core import command_to_json

@command_parser.command(cls=CluCommand)
@click.argument("SIDE", type=click.Choice(["north", "south", "both"]), help="The shutter.")
@click.argument("ANGLE", type=click.FloatRange(0, 90), required=False, help="Where to. [deg]")
@click.argument("REST", nargs=-1, type=int)
@click.option("--speed", metavar="RATE", type=click.FloatRange(0, min_open=True), default=1.5, show_default=True, help="How fast. [deg/s]")
@click.option("--count", metavar="N", type=click.IntRange(1, 8))
@click.option("--below", metavar="X", type=click.FloatRange(max=1000, max_open=True))
@click.option("--when", metavar="STATE", type=click.Choice(["day", "night"]), default="day", show_default=True)
@click.option("--mode", metavar="MODE", type=click.Choice(["a", "b"]), required=True, help="The mode.")
@click.option("--note", metavar="TEXT")
@click.option("--force", is_flag=True)
def move(command, **kwargs):
    """Moves a shutter.

    Second paragraph."""

def parse(words):
    try:
        move.make_context("move", words)
        return ""
    except click.ClickException as error:
        return f"{error.__class__.__name__}: {error.format_message()}"

context = click.Context(move, info_name="dome move")
print(json.dumps({
    "Model": json.loads(command_to_json(move)),
    "Help": move.get_help(context).splitlines(),
    "Errors": [parse(line.split()) for line in json.loads(sys.argv[1])],
}))
`

// newMover returns an actor with the command of moveScript.
func newMover() *Actor {
	a := &Actor{name: "dome", handlers: make(map[string]*handler)}
	a.addBuiltins()
	a.Handle(moveUsage, moveHelp, noop)
	return a
}

// generic returns a value as JSON has it. Numbers are compared by value, and help texts without
// the indentation of Python's docstrings.
func generic(t *testing.T, v any) any {
	t.Helper()
	var any any
	if err := json.Unmarshal(marshal(v), &any); err != nil {
		t.Fatal(err)
	}
	return withoutIndentation(any)
}

func withoutIndentation(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, of := range v {
			v[name] = withoutIndentation(of)
		}
	case []any:
		for i := range v {
			v[i] = withoutIndentation(v[i])
		}
	case string:
		lines := strings.Split(v, "\n")
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		return strings.Join(lines, "\n")
	}
	return v
}

func TestTheModelHelpAndErrorsOfTypedArgumentsAreThoseOfCLU(t *testing.T) {
	lines := []string{
		"north --mode a", "up --mode a", "north 91 --mode a", "north x --mode a", "north -1 --mode a", "north 1e300 --mode a", "north 1e-7 --mode a --below 1e3",
		"north 0x10 --mode a", "north 5 --mode c", "north 5 --speed 0 --mode a", "north 5 --speed 1e-5 --mode a", "north 5 --count 9 --mode a",
		"north 5 --count 2.5 --mode a", "north 5 6 7 x --mode a", "north 5 6 -7 --mode a", "north 5 --mode a --speed=", "north", "--mode a",
		"north --mode", "north --mode a --when dusk", "north --mode a --note", "north --mode a --below 1000", "north --mode a --below 999.5 --force",
		"north --mode a --force=1", "north 90 --mode a", "north 90.0000001 --mode a", "north +5 --mode a", "north 5 +6 --mode a", "north .5 --mode b",
	}
	var clu struct {
		Model  any
		Help   []string
		Errors []string
	}
	runCLU(t, moveScript, lines, &clu)
	a := newMover()
	h := a.handlers["move"]
	if got := generic(t, h.info()); !reflect.DeepEqual(got, withoutIndentation(clu.Model)) {
		t.Errorf("the model is\n%s, CLU's is\n%s", marshal(got), marshal(clu.Model))
	}
	if got := a.commandHelp(h); !reflect.DeepEqual(got, clu.Help) {
		t.Errorf("the help is\n%s\nCLU's is\n%s", strings.Join(got, "\n"), strings.Join(clu.Help, "\n"))
	}
	for i, line := range lines {
		got := ""
		if _, err := h.usage.parse(strings.Fields(line)); err != nil {
			got = err.Error()
		}
		if got != clu.Errors[i] {
			t.Errorf("%s: %q; CLU has %q", line, got, clu.Errors[i])
		}
	}
}

// The answers were recorded from a CLU 2.6.1 actor.
func TestTheModelOfTheBuiltinsIsTheRecordedOne(t *testing.T) {
	raw, err := os.ReadFile("testdata/command-model.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded map[string]any
	if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	a := &Actor{name: "dome", handlers: make(map[string]*handler)}
	a.addBuiltins()
	if got := generic(t, a.groupInfo()); !reflect.DeepEqual(got, withoutIndentation(recorded)) {
		t.Errorf("the model is\n%s, recorded was\n%s", marshal(got), raw)
	}
}

func TestAWrongTypeInAUsageLineIsToldWhenTheHandlerIsAdded(t *testing.T) {
	for line, want := range map[string]string{
		"x A:flaot":           `has the type "flaot"; write float, int, text, a range such as float(0..<360), or choices`,
		"x A:open|":           `has the type "open|"`,
		"x A:float(0-9)":      "has the range (0-9); write (0..90)",
		"x A:float(0..9":      "has the range (0..9; write",
		"x A:float(..)":       "has the range (..)",
		"x A:float(<..5)":     "has the range (<..5)",
		"x A:int(0.5..)":      "has the range (0.5..)",
		"x A:text(1..)":       `has the type "text(1..)"`,
		"x [A:int(1..5)=9]":   "has a default of A: 9 is not in the range 1<=x<=5.",
		"x A:int=5":           "has a default for A, which is not a single argument in brackets",
		"x [A:int=5]...":      "has a default for A",
		"x --n N:int=5":       "has a default for --n, which is required",
		"x [--n N:int(1..)=]": "has a default of N: '' is not a valid integer range.",
	} {
		if _, err := parseUsage(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

func TestDefaultsAndBoundsAreToldAsNumbersOfTheirType(t *testing.T) {
	for line, want := range map[string]string{
		"x [A:int=+5]":                     "5",
		"x [A:int=007]":                    "7",
		"x [A:int=+9007199254740993]":      "9007199254740993",
		"x [A:float=.5]":                   "0.5",
		"x [A:float=+5]":                   "5.0",
		"x [A:float=1e5]":                  "1e5",
		"x [A:float(..<+6)=-0]":            "-0",
		"x [A:float=1.0000000000000001e0]": "1.0000000000000001e0",
		"x [A:text=+5]":                    `"+5"`,
	} {
		u, err := parseUsage(line)
		if err != nil {
			t.Fatal(line, err)
		}
		if got := string(marshal((&handler{usage: u}).info().Params[0].Default)); got != want {
			t.Errorf("%s: the default is told as %s, want %s", line, got, want)
		}
	}
}

// A model that cannot be written would fail get-command-model for all commands.
func FuzzTheModelOfEveryUsageLineCanBeWritten(f *testing.F) {
	for _, number := range []string{".5", "+1", "5.", "05", "1E400", "-0", "inf", "NaN", "0x1", "1_0", "-.0", "1e-400", "\xff"} {
		f.Add("x [A:float=" + number + "] [--b B:int(..+5)=" + number + "] [--c C:float(" + number + "..)]")
		f.Add("x [A:" + number + "|b=" + number + "] [--b B:text=" + number + "]")
	}
	f.Add(moveUsage)
	f.Fuzz(func(t *testing.T, line string) {
		u, err := parseUsage(line)
		if err != nil {
			return
		}
		if _, err := marshalValue((&handler{usage: u}).info()); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	})
}
