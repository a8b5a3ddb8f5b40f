package actor

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// runCLU runs a Python script with CLU. The script's argument is a value as JSON; its
// output is decoded into the result.
func runCLU(t *testing.T, script string, argument, result any) {
	t.Helper()
	out := testkit.CLU(t).Run(t, script, string(marshal(argument)))
	if err := json.Unmarshal([]byte(out), result); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
}

// randomTexts returns texts made of the pieces, the same ones in every run.
func randomTexts(pieces []string, count, longest int, separator string) []string {
	random := rand.New(rand.NewPCG(1, 2))
	texts := make([]string, count)
	for i := range texts {
		chosen := make([]string, random.IntN(longest+1))
		for j := range chosen {
			chosen[j] = pieces[random.IntN(len(pieces))]
		}
		texts[i] = strings.Join(chosen, separator)
	}
	return texts
}

const shlexScript = `
import json, shlex, sys
def split(text):
    try:
        return {"Words": shlex.split(text)}
    except ValueError as error:
        return {"Error": str(error)}
print(json.dumps([split(text) for text in json.loads(sys.argv[1])]))
`

func TestCommandStringsAreSplitAsByPythonsShlex(t *testing.T) {
	texts := randomTexts([]string{"a", "b", "é", " ", "\t", "\n", "\r", "'", `"`, `\`, "#", ";", "-", "=", "\u00a0", "\v"}, 2000, 9, "")
	var want []struct {
		Words []string
		Error string
	}
	runCLU(t, shlexScript, texts, &want)
	for i, text := range texts {
		words, err := splitShlex(text)
		got := ""
		if err != nil {
			got = strings.TrimPrefix(err.Error(), "UsageError: ")
		}
		if got != want[i].Error || !slices.Equal(words, want[i].Words) {
			t.Errorf("%q: %q %s; Python has %q %s", text, words, got, want[i].Words, want[i].Error)
		}
	}
}

// clickUsage is the command of clickScript.
const clickUsage = "expose SECONDS [KIND] [--fast] [--count N] --shutter STATE"

const clickScript = `
import json, sys
import click
from clu.parsers.click import CluCommand, command_parser

@command_parser.command(cls=CluCommand)
@click.argument("SECONDS")
@click.argument("KIND", required=False)
@click.option("--fast", is_flag=True, help="Reads out faster.")
@click.option("--count", metavar="N", help="How many images are taken, one after the other, without a pause between them.")
@click.option("--shutter", metavar="STATE", required=True, help="The shutter.")
@click.option("--an-option-with-a-rather-long-name", is_flag=True, help="Is alone.")
@click.option("--bare", is_flag=True)
def expose(command, **kwargs):
    """Takes an image."""

def parse(words):
    try:
        values = expose.make_context("expose", words).params
        return {"Values": {name: value for name, value in values.items() if value not in (None, False)}}
    except click.ClickException as error:
        return {"Error": f"{error.__class__.__name__}: {error.format_message()}"}

if sys.argv[1] == "0":
    context = click.Context(expose, info_name="camera expose")
    print(json.dumps(expose.get_help(context).splitlines()))
else:
    print(json.dumps([parse(line.split()) for line in json.loads(sys.argv[1])]))
`

func TestArgumentsAndOptionsAreSortedAsByCLUsParser(t *testing.T) {
	lines := randomTexts([]string{"1", "-2.5", "dark", "--fast", "--fast=1", "--count", "--count=3", "--count=", "--shutter", "--shutter=open",
		"--shutter=open", "--shutter=open", "--", "-", "-x", "--other", "--other=1"}, 2000, 6, " ")
	var want []struct {
		Values map[string]any
		Error  string
	}
	runCLU(t, clickScript, lines, &want)
	u := mustParseUsage(t, clickUsage)
	for i, line := range lines {
		args, err := u.parse(strings.Fields(line))
		got := ""
		values := map[string]any{}
		if err != nil {
			got, values = err.Error(), nil
		}
		for j, value := range args.positional {
			if err == nil {
				values[[]string{"seconds", "kind"}[j]] = value
			}
		}
		for name, value := range args.options {
			switch {
			case err != nil:
			case name == "--fast":
				values["fast"] = true
			default:
				values[strings.TrimPrefix(name, "--")] = value
			}
		}
		if got != want[i].Error || !maps.Equal(values, want[i].Values) {
			t.Errorf("%s: %v %s; CLU has %v %s", line, values, got, want[i].Values, want[i].Error)
		}
	}
}

func TestOptionsAreShownInTheHelpAsByClick(t *testing.T) {
	a := &Actor{name: "camera", handlers: make(map[string]*handler)}
	a.Handle(clickUsage+" [--an-option-with-a-rather-long-name] [--bare]", `Takes an image.

		--fast     Reads out faster.
		--count    How many images are taken, one after the other,
		           without a pause between them.
		--shutter  The shutter.
		--an-option-with-a-rather-long-name  Is alone.`, noop)
	var want []string
	runCLU(t, clickScript, 0, &want)
	if got := a.commandHelp(a.handlers["expose"]); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nCLU has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := a.groupHelp(); !slices.Contains(got, "  expose  Takes an image.") {
		t.Errorf("the list of commands is\n%s", strings.Join(got, "\n"))
	}
}
