package actor

import (
	"slices"
	"testing"
)

// The layout was recorded from a CLU 2.6.1 actor with these commands.
func TestHelpIsLaidOutAsByClick(t *testing.T) {
	a := &Actor{name: "lvmecp", handlers: make(map[string]*handler)}
	a.addBuiltins()
	long := `Slews the mount to a very long description that goes on and on so that
		it must be wrapped by click at eighty columns.

		Second paragraph of it.`
	a.Handle("get-command-model", "Returns a dictionary representation of the command using “unclick”.", nil)
	a.Handle("slew RA DEC", long, nil)
	a.Handle("nofin", "", nil)
	want := []string{
		"Usage: lvmecp [OPTIONS] COMMAND [ARGS]...", "",
		"Options:", "  --help  Show this message and exit.", "",
		"Commands:",
		"  get-command-model  Returns a dictionary representation of the command...",
		"  get_schema         Returns the schema of the actor as a JSON schema.",
		"  help               Shows the help.",
		"  keyword            Prints human-readable information about a keyword.",
		"  nofin",
		"  ping               Pings the actor.",
		"  slew               Slews the mount to a very long description that goes...",
		"  version            Reports the version.",
	}
	if got := a.groupHelp(); !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	want = []string{
		"Usage: lvmecp slew [OPTIONS] RA DEC", "",
		"  Slews the mount to a very long description that goes on and on so that it",
		"  must be wrapped by click at eighty columns.", "",
		"  Second paragraph of it.", "",
		"Options:", "  --help  Show this message and exit.",
	}
	if got := a.commandHelp(a.handlers["slew"]); !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if got, want := a.commandHelp(a.handlers["help"])[0], "Usage: lvmecp help [OPTIONS] [PARSER_COMMAND]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestArgumentsAreCountedInClicksWords(t *testing.T) {
	for _, test := range []struct {
		usage string
		args  []string
		want  string
	}{
		{"ping", nil, ""},
		{"ping", []string{"extra"}, "UsageError: Got unexpected extra argument (extra)"},
		{"slew RA DEC", []string{"1", "2", "#", "comment"}, "UsageError: Got unexpected extra arguments (# comment)"},
		{"slew RA DEC", nil, "MissingParameter: Missing argument 'RA'."},
		{"slew RA DEC", []string{"1"}, "MissingParameter: Missing argument 'DEC'."},
		{"slew RA DEC", []string{"-1", "2"}, ""},
		{"help [WHAT]", nil, ""},
		{"help [WHAT]", []string{"a", "b"}, "UsageError: Got unexpected extra argument (b)"},
		{"say TEXT...", nil, "MissingParameter: Missing argument 'TEXT'."},
		{"say TEXT...", []string{"a", "b", "c"}, ""},
		{"say [TEXT]...", nil, ""},
	} {
		got := ""
		if err := parseUsage(test.usage).check(test.args); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s with %q: %q, want %q", test.usage, test.args, got, test.want)
		}
	}
}

func TestAFloatIsRefusedInClicksWords(t *testing.T) {
	c := &Call{usage: parseUsage("slew RA [DEC]"), Args: []string{"x"}}
	for text, want := range map[string]string{
		"x":   "BadParameter: Invalid value for 'RA': 'x' is not a valid float.",
		"nan": "BadParameter: Invalid value for 'RA': 'nan' is not a valid float.",
		"inf": "BadParameter: Invalid value for 'RA': 'inf' is not a valid float.",
	} {
		c.Args[0] = text
		if _, err := c.Float("RA"); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := c.Float("DEC"); err == nil || err.Error() != "MissingParameter: Missing argument 'DEC'." {
		t.Errorf("an optional argument that is missing: %v", err)
	}
	c.Args[0] = "-1.5e1"
	if f, err := c.Float("RA"); f != -15 || err != nil {
		t.Errorf("%v, %v", f, err)
	}
}
