package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// statesOf returns the values of all flags of clu-ws websocket by their names.
func statesOf(t *testing.T, args ...string) map[string]flagState {
	t.Helper()
	args = append([]string{"clu-ws", "websocket"}, args...)
	app := newApp(io.Discard, io.Discard)
	app.Metadata = map[string]any{argsKey: args}
	states := map[string]flagState{}
	app.Command("websocket").Action = func(c *cli.Context) error {
		s, err := readSettings(c) // some values are of no use, which is nothing to the order
		if s == nil {
			return err
		}
		for _, f := range s.flags {
			states[f.name] = f
		}
		return nil
	}
	if err := app.Run(args); err != nil {
		t.Fatal(err)
	}
	return states
}

// threeValues returns values that a flag takes, other than its default.
func threeValues(f cli.Flag) [3]string {
	switch f := f.(type) {
	case *cli.BoolFlag:
		return [3]string{strconv.FormatBool(!f.Value), strconv.FormatBool(f.Value), strconv.FormatBool(!f.Value)}
	case *cli.IntFlag:
		return [3]string{"11", "12", "13"}
	case *cli.DurationFlag:
		return [3]string{"11s", "12s", "13s"}
	case *cli.PathFlag:
		return [3]string{"/a", "/b", "/c"}
	}
	if f.Names()[0] == "audit" {
		return [3]string{"/a", "/b", "/c"}
	}
	return [3]string{"a", "b", "c"}
}

func TestOfEachFlagTheCommandLineWinsOverItsVariableAndThatOverTheFile(t *testing.T) {
	for _, f := range websocketFlags() {
		name := f.Names()[0]
		if !isVisible(f) || name == "config" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			values := threeValues(f)
			expect := func(what, value, source string, args ...string) {
				t.Helper()
				if got := statesOf(t, args...)[name]; got.value != value || got.source != source {
					t.Errorf("%s: it is %q by %q, want %q by %q", what, got.value, got.source, value, source)
				}
			}
			unset := statesOf(t)[name]
			if unset.source != "" {
				t.Errorf("without anything it is %+v", unset)
			}
			path := writeFile(t, "clu-ws.yaml", asYAML(name, values[0]))
			empty := writeFile(t, "empty.yaml", "site: {title: A}\n")
			expect("the file", values[0], fmt.Sprint(path, ":1"), "--config", path)
			line := []string{"--config", path, "--" + name + "=" + values[2]}
			expect("the line over the file", values[2], "the command line", line...)
			variable := "CLU_WS_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			t.Setenv(variable, values[1])
			expect("the variable", values[1], variable, "--config", empty)
			expect("the variable over the file", values[1], variable, "--config", path)
			expect("the line over both", values[2], "the command line", line...)
			for _, short := range f.Names()[1:] {
				if len(short) == 1 {
					expect("-"+short, values[2], "the command line", "--config", path, "-"+short, values[2])
				}
			}
			t.Setenv(variable, "")
			expect("the file over an empty variable", values[0], fmt.Sprint(path, ":1"), "--config", path)
			expect("the line over an empty variable", values[2], "the command line", line...)
		})
	}
}
