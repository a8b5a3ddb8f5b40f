package main

import (
	"os"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// validate is a script that validates lines of JSON: each is the name of a definition, a tab, and a value.
const validate = `
import json, sys
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
for line in open(sys.argv[2]):
    name, value = line.split("\t", 1)
    part = {"$ref": "#/$defs/" + name, "$defs": schema["$defs"]}
    for error in Draft202012Validator(part).iter_errors(json.loads(value)):
        print(name, error.message)
`

func TestTheOutputIsWhatItsSchemaSays(t *testing.T) {
	clu := testkit.CLU(t)
	address := startWithActor(t)
	var lines strings.Builder
	for _, c := range []struct {
		definition string
		args       []string
	}{
		{"reply", []string{"send", "dome", "status"}}, {"reply", []string{"listen", "--since", "1h", "--count", "2"}},
		{"value", []string{"get", "dome", "--max-age", "any"}}, {"value", []string{"wait", "dome.safe == true", "--max-age", "any"}},
		{"found", []string{"send", "dome", "status", "--get", "position"}}, {"actor", []string{"actors"}},
		{"command", []string{"help", "dome"}}, {"command", []string{"help", "dome", "slow"}}, {"keywords", []string{"schema", "dome"}},
	} {
		out := wantExit(t, address, 0, "", append(c.args, "--json")...)
		if out == "" {
			t.Errorf("%q prints nothing", c.args)
		}
		for line := range strings.Lines(out) {
			lines.WriteString(c.definition + "\t" + line)
		}
	}
	for line := range strings.Lines(measured(t, address)) {
		lines.WriteString("rate\t" + line)
	}
	file := t.TempDir() + "/lines"
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	schema, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if errors := clu.Run(t, validate, schema+"/../../docs/clu-ws-output.schema.json", file); errors != "" {
		t.Errorf("the schema does not allow\n%s", errors)
	}
	if errors := clu.Run(t, validate, schema+"/../../docs/clu-ws-output.schema.json", wrongLines(t)); strings.Count(errors, "\n") < 3 {
		t.Errorf("the schema allows what it should not; it only refuses\n%s", errors)
	}
}

// measured returns what hz prints of an actor, which is made to talk until then.
func measured(t *testing.T, address string) string {
	t.Helper()
	out := whileItTalks(t, address, "hz", "dome", "--for", "1h", "--count", "2", "--json")
	if !strings.Contains(out, `{"keyword":"","count":2,"hz":`) {
		t.Errorf("hz prints %s", out)
	}
	return out
}

// whileItTalks returns what a subcommand prints that ends well, once the actor dome has talked enough.
func whileItTalks(t *testing.T, address string, args ...string) string {
	t.Helper()
	printed := make(chan string, 1)
	go func() {
		out, notes, code := talk(t, address, args...)
		if code != 0 {
			t.Errorf("%q ends with %d: %s", args, code, notes)
		}
		printed <- out
	}()
	for {
		select {
		case out := <-printed:
			return out
		default:
			talk(t, address, "send", "dome", "status") // it is no matter how one of them ends
		}
	}
}

// wrongLines returns a file with values that the schema must refuse.
func wrongLines(t *testing.T) string {
	t.Helper()
	file := t.TempDir() + "/wrong"
	text := "value\t{\"keyword\": \"x\", \"value\": 1, \"time\": null, \"age_seconds\": null}\nactor\t{\"name\": \"dome\"}\nrate\t{\"keyword\": \"a\", \"count\": 0}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
