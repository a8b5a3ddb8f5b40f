package actor

import (
	"strings"
	"testing"
)

// callOf returns a call as it is passed to a handler.
func callOf(t *testing.T, usage string, words ...string) *Call {
	t.Helper()
	u := mustParseUsage(t, usage)
	args, err := u.parse(words)
	if err != nil {
		t.Fatal(err)
	}
	return &Call{usage: u, Args: args.positional, options: args.options}
}

func TestANumberIsRefusedInClicksWords(t *testing.T) {
	for text, want := range map[string]string{
		"x":   "BadParameter: Invalid value for 'RA': 'x' is not a valid float.",
		"nan": "BadParameter: Invalid value for 'RA': 'nan' is not a valid float.",
		"inf": "BadParameter: Invalid value for 'RA': 'inf' is not a valid float.",
	} {
		if _, err := callOf(t, "slew RA", text).Float("RA"); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"1.5", "x", "9223372036854775808"} {
		want := "BadParameter: Invalid value for '--count': '" + text + "' is not a valid integer."
		if _, err := callOf(t, "expose [--count N]", "--count", text).Int("--count"); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestANumberIsReadFromAnArgumentOrAnOption(t *testing.T) {
	c := callOf(t, "slew RA [DEC] [--rate R] [--turns N]", "-1.5e1", "--rate", "0.5", "--turns=-3")
	if f, err := c.Float("RA"); f != -15 || err != nil {
		t.Errorf("%v, %v", f, err)
	}
	if f, err := c.Float("--rate"); f != 0.5 || err != nil {
		t.Errorf("%v, %v", f, err)
	}
	if n, err := c.Int("--turns"); n != -3 || err != nil {
		t.Errorf("%v, %v", n, err)
	}
	if _, err := c.Float("DEC"); err == nil || err.Error() != "MissingParameter: Missing argument 'DEC'." {
		t.Errorf("an optional argument that is missing: %v", err)
	}
	if _, err := callOf(t, "slew [--rate R]").Int("--rate"); err == nil || err.Error() != "MissingParameter: Missing option '--rate'." {
		t.Errorf("an option that is missing: %v", err)
	}
}

func TestAMissingArgumentIsDistinguishedFromAnEmptyOne(t *testing.T) {
	c := callOf(t, "expose SECONDS [KIND] [--fast] [--slow] [--file F]", "1", "--fast", "--file", "")
	for name, want := range map[string]bool{"SECONDS": true, "KIND": false, "--file": true} {
		if _, given := c.Arg(name); given != want {
			t.Errorf("%s was given: %v", name, given)
		}
	}
	if !c.Flag("--fast") || c.Flag("--slow") {
		t.Errorf("--fast is %v, --slow is %v", c.Flag("--fast"), c.Flag("--slow"))
	}
}

func TestANameThatIsNotInTheUsageLineIsTheHandlersFault(t *testing.T) {
	c := callOf(t, "slew N [--fast] [--rate R]", "1")
	for name, get := range map[string]func(){
		`named "M"`:      func() { _, _ = c.Float("M") },
		`named "K"`:      func() { _, _ = c.Int("K") },
		`named "--fast"`: func() { c.Arg("--fast") },
		`flag "--rate"`:  func() { c.Flag("--rate") },
		`flag "N"`:       func() { c.Flag("N") },
	} {
		if got := panicText(get); !strings.HasPrefix(got, "actor: the usage of the command slew has no ") || !strings.HasSuffix(got, name) {
			t.Errorf("%s: the panic is %q", name, got)
		}
	}
}
