package actor

import (
	"context"
	"slices"
	"testing"
)

func noop(context.Context, *Call) error { return nil }

// The layout was recorded from a CLU 2.6.1 actor with these commands.
func TestHelpIsLaidOutAsByClick(t *testing.T) {
	a := &Actor{name: "lvmecp", handlers: make(map[string]*handler)}
	a.addBuiltins()
	long := `Slews the mount to a very long description that goes on and on so that
		it must be wrapped by click at eighty columns.

		Second paragraph of it.`
	a.Handle("slew RA DEC", long, noop)
	a.Handle("nofin", "", noop)
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
