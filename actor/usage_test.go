package actor

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
)

func mustParseUsage(t *testing.T, line string) *usage {
	t.Helper()
	u, err := parseUsage(line)
	if err != nil {
		t.Fatal(err)
	}
	return &u
}

func TestArgumentsAreCountedInClicksWords(t *testing.T) {
	for _, test := range []struct {
		usage string
		args  []string
		want  string
	}{
		{"ping", nil, ""},
		{"ping", []string{"extra"}, "UsageError: Got unexpected extra argument (extra)"},
		{"ping", []string{"--fast"}, "UsageError: Got unexpected extra argument (--fast)"},
		{"slew RA DEC", []string{"1", "2", "#", "comment"}, "UsageError: Got unexpected extra arguments (# comment)"},
		{"slew RA DEC", nil, "MissingParameter: Missing argument 'RA'."},
		{"slew RA DEC", []string{"1"}, "MissingParameter: Missing argument 'DEC'."},
		{"slew RA DEC", []string{"-1", "2"}, ""},
		{"help [WHAT]", nil, ""},
		{"help [WHAT]", []string{"a", "b"}, "UsageError: Got unexpected extra argument (b)"},
		{"say TEXT...", nil, "MissingParameter: Missing argument 'TEXT...'."},
		{"say TEXT...", []string{"a", "b", "c"}, ""},
		{"say [TEXT]...", nil, ""},
		{"say [TEXT...]", []string{"a", "b"}, ""},
		{"set KEY=VALUE", []string{"gain=2"}, ""},
		{"set KEY=VALUE", nil, "MissingParameter: Missing argument 'KEY=VALUE'."},
		{"expose [--fast]", []string{"--fast=yes"}, "BadOptionUsage: Option '--fast' does not take a value."},
		{"expose [--n N]", []string{"--n"}, "BadOptionUsage: Option '--n' requires an argument."},
		{"expose --n N", nil, "MissingParameter: Missing option '--n'."},
		{"expose T --n N", nil, "MissingParameter: Missing argument 'T'."},
		{"expose T --n N", []string{"1", "--n="}, ""},
	} {
		got := ""
		if _, err := mustParseUsage(t, test.usage).parse(test.args); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s with %q: %q, want %q", test.usage, test.args, got, test.want)
		}
	}
}

func TestOptionsStandAnywhereAmongTheArguments(t *testing.T) {
	u := mustParseUsage(t, "expose SECONDS [KIND] [--fast] [--count=N] --shutter STATE")
	for _, line := range []string{
		"10 dark --fast --count 3 --shutter open",
		"--fast --count 3 --shutter open 10 dark",
		"--shutter=closed 10 --count=4 --count=3 --fast --shutter open dark",
		"--fast --count 3 --shutter open -- 10 dark",
	} {
		args, err := u.parse(strings.Fields(line))
		if err != nil || !slices.Equal(args.positional, []string{"10", "dark"}) ||
			!maps.Equal(args.options, map[string]string{"--fast": "", "--count": "3", "--shutter": "open"}) {
			t.Errorf("%s: %+v, %v", line, args, err)
		}
	}
	args, err := u.parse(strings.Fields("-1 --shutter --fast -- --count"))
	if err != nil || !slices.Equal(args.positional, []string{"-1", "--count"}) || args.options["--shutter"] != "--fast" {
		t.Errorf("%+v, %v", args, err)
	}
}

func TestAWrongUsageLinePanicsWhenTheHandlerIsAdded(t *testing.T) {
	a, err := New(Config{Name: "dome", Link: amqpx.Config{URLs: []string{"amqp://localhost/"}}})
	if err != nil {
		t.Fatal(err)
	}
	noop := func(context.Context, *Call) error { return nil }
	for line, want := range map[string]string{
		"":                 "does not start with a command's name",
		"--wait":           "does not start with a command's name",
		"[x]":              "does not start with a command's name",
		"ping":             "has a handler already",
		"x A A":            "names A twice",
		"x A... B":         "after A..., which takes all arguments that are left",
		"x [A] B":          "has B, which is required, after A, which is not",
		"x [A":             "write NAME, NAME... or [NAME]",
		"x []":             "write NAME, NAME... or [NAME]",
		"x A]":             "write NAME, NAME... or [NAME]",
		"x -f F":           `has an option "-f"`,
		"x --fast":         "a flag stands in brackets, as [--fast]",
		"x --fast --slow":  "a flag stands in brackets, as [--fast]",
		"x [--n N":         "has no ] after [--n N",
		"x [--n] [--n]":    "names --n, which is taken",
		"x [--help]":       "names --help, which is taken",
		"x --n N [--n]":    "names --n, which is taken",
		"x [--]":           `has an option "[--]"`,
		"x --n [N]":        `has an option "--n"`,
		"x [--n N] --n=N2": "names --n, which is taken",
	} {
		if got := panicText(func() { a.Handle(line, "", noop) }); !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	if got := panicText(func() { a.Handle("y", "", nil) }); got != `actor: the handler of the command "y" is nil` {
		t.Errorf("without a function: %q", got)
	}
}

// panicText returns what a function panics with, or "".
func panicText(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}
