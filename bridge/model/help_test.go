package model

import (
	"fmt"
	"testing"
)

// The lines are those of CLU 2.6.1 with click 8.3, for an actor whose command model cannot be sent as
// JSON, because a default is a function.
func TestTheHelpOfOddOptionsIsRead(t *testing.T) {
	c, group := parseCommandHelp("goto", []string{
		"Usage: odd goto [OPTIONS] POS...", "", "  Goes to. (DEPRECATED)", "", "Options:", "  --pair <TEXT INTEGER>...        A pair.",
		"  --when [%Y-%m-%d|%Y-%m-%dT%H:%M:%S|%Y-%m-%d %H:%M:%S]", "                                  When", "  --xy FLOAT...",
		"  --range <INTEGER RANGE FLOAT RANGE>...", "  --mode [a|b]", "  --lvl INTEGER RANGE             [default: 5; 0<=x<10]",
	})
	if group || !c.Deprecated || c.Help != "Goes to." {
		t.Errorf("it is %+v", c)
	}
	for i, want := range []string{
		"pos other -1 []", "pair other 2 []", "when datetime 1 []", "xy float -1 []", "range other -1 []", "mode choice 1 [a b]", "lvl int 1 []",
	} {
		if p := c.Params[i]; fmt.Sprint(p.Name, " ", p.Type, " ", p.Nargs, " ", p.Choices) != want {
			t.Errorf("%+v, want %s", p, want)
		}
	}
}

func TestTheHelpOfAGroupHasItsOptions(t *testing.T) {
	c, group := parseCommandHelp("chained", []string{
		"Usage: odd chained [OPTIONS] [COMMAND1 [ARGS]... [COMMAND2 [ARGS]...]...]", "", "  A chain.", "",
		"Options:", "  --all   All of them.", "  --help  Show this message and exit.", "",
		"Commands:", "  one  The first.", "  old  The second. (DEPRECATED: use one)",
	})
	if !group || len(c.Commands) != 2 || c.Commands[0].Deprecated || !c.Commands[1].Deprecated || c.Commands[1].Help != "The second." {
		t.Errorf("it is %+v", c)
	}
	if len(c.Params) != 1 || c.Params[0].Name != "all" || !c.Params[0].Flag {
		t.Errorf("its parameters are %+v", c.Params)
	}
}

func TestMarksOfClickAreNotPartOfTheHelp(t *testing.T) {
	docstring := "Goes to.\n\n    \b\n    keeps\n      these\n\f\n    Args: of the function"
	if got := helpText(&docstring); got != "Goes to.\n\nkeeps\nthese" {
		t.Errorf("%q", got)
	}
}
