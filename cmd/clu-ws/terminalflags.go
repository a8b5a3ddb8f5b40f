package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/clu-ws/clu-ws/internal/configfile"
	"github.com/clu-ws/clu-ws/terminal"
)

// defaultBridge is where a bridge listens by default.
const defaultBridge = "ws://localhost:9876"

// terminalFlags returns the flags of the subcommands that talk to a bridge, and those of one of them.
func terminalFlags(own ...cli.Flag) []cli.Flag {
	return append(own,
		&cli.StringFlag{Name: "url", DefaultText: defaultBridge, Usage: "`URL` of the bridge (or the variable " + bridgeVariable + ")"},
		&cli.StringFlag{Name: "amqp", Usage: "`URL` of a broker, to do without a bridge: amqp://user@host:5672/vhost. The password comes from the variable CLU_WS_PASSWORD, or the whole URL from " + brokerVariable},
		&cli.StringFlag{Name: "token-file", Usage: "`FILE` with the token for the bridge (default: the variable CLU_WS_TOKEN). A token is not taken from the command line, which others on this machine can read"},
		&cli.DurationFlag{Name: "silence", Hidden: true, Usage: "`TIME` of silence after which the bridge is asked for a sign of life, for tests"},
		&cli.BoolFlag{Name: "json", Usage: "print JSON, one value a line"},
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "`WHEN` to print colors: auto (on a terminal, unless NO_COLOR is set), always or never"},
	)
}

// terminalCommand returns a subcommand that talks to a bridge. Its flags may also stand after the arguments.
// If words is set, the arguments after the first may be the words of a command: what is not a flag of clu-ws is one
// of them, and so is all that follows "--".
func terminalCommand(c cli.Command, stdout, stderr io.Writer, words bool, do func(*cli.Context, []string, *terminal.Env) error) *cli.Command {
	c.Flags = terminalFlags(c.Flags...)
	c.OnUsageError = func(c *cli.Context, err error, sub bool) error {
		return &terminal.ExitError{Code: terminal.ExitUsage, Err: usageError(c, err, sub)}
	}
	c.Action = func(c *cli.Context) error {
		args, err := flagsAfterArguments(c, words)
		if err != nil {
			return &terminal.ExitError{Code: terminal.ExitUsage, Err: err}
		}
		env, err := terminalEnv(c, stdout, stderr)
		if err != nil {
			return &terminal.ExitError{Code: terminal.ExitUsage, Err: err}
		}
		return terminal.WithCode(c.Context, do(c, args, env))
	}
	return &c
}

// givenFlag is a flag that stands after arguments.
type givenFlag struct {
	written     string // such as --timeout
	name, value string
	after       int // how many arguments stand before it
}

// flagsAfterArguments sets the flags that stand after arguments, where the library does not look for them, and
// returns the arguments.
func flagsAfterArguments(c *cli.Context, words bool) ([]string, error) {
	args, flags, err := splitArguments(c, words)
	if err != nil {
		return nil, err
	}
	for _, f := range flags {
		if err := c.Set(f.name, f.value); err != nil {
			return nil, fmt.Errorf("--%s %s; see %s --help", f.name, notOfType(flagOf(c, f.name), f.value), c.Command.HelpName)
		}
	}
	return args, nil
}

// splitArguments returns the arguments of a subcommand, and the flags that stand after the first one.
func splitArguments(c *cli.Context, words bool) (args []string, flags []givenFlag, err error) {
	rest := c.Args().Slice()
	for len(rest) > 0 {
		arg := rest[0]
		rest = rest[1:]
		if arg == "--" {
			return append(args, rest...), flags, nil
		}
		written, value, given := strings.Cut(arg, "=")
		name := strings.TrimLeft(written, "-")
		f := flagOf(c, name)
		switch {
		case !strings.HasPrefix(arg, "-") || arg == "-", f == nil && words && len(args) > 0:
			args = append(args, arg)
			continue
		case f == nil:
			return nil, nil, fmt.Errorf(notUnderstood, arg, c.Command.HelpName)
		}
		if doc, ok := f.(cli.DocGenerationFlag); !given && ok && !doc.TakesValue() {
			value = "true"
		} else if !given {
			if len(rest) == 0 {
				return nil, nil, fmt.Errorf("--%s needs a value; see %s --help", name, c.Command.HelpName)
			}
			value, rest = rest[0], rest[1:]
		}
		flags = append(flags, givenFlag{written, name, value, len(args)})
	}
	return args, flags, nil
}

// terminalEnv returns what the flags of terminalFlags mean.
func terminalEnv(c *cli.Context, stdout, stderr io.Writer) (*terminal.Env, error) {
	color, err := wantsColor(c.String("color"), stdout)
	if err != nil {
		return nil, err
	}
	env := &terminal.Env{Stdout: stdout, Stderr: stderr, JSON: c.Bool("json"), Color: color, Width: func() int { return widthOf(stdout) }}
	broker, err := givenBroker(c)
	switch {
	case err != nil:
		return nil, err
	case broker == "":
		return env, toBridge(c, env)
	case c.IsSet("token-file"):
		return nil, errors.New("--token-file is for a bridge; leave it out with --amqp")
	}
	return env, toBroker(c.Context, env, broker)
}

// toBridge makes a terminal talk to a bridge.
func toBridge(c *cli.Context, env *terminal.Env) (err error) {
	options := terminal.DialOptions{URL: bridgeURL(c), UserAgent: "clu-ws/" + releaseVersion, Silence: c.Duration("silence")}
	if options.Token, err = tokenOf(c.String("token-file")); err != nil {
		return err
	}
	if err := options.Check(); err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	env.Server = options.URL
	env.Dial = func(ctx context.Context) (terminal.Link, error) { return terminal.Dial(ctx, options) }
	return nil
}

// tokenOf returns a function that returns the token, and reads the file again: it may have a new one. Without a token, the
// function is nil.
func tokenOf(file string) (func() (string, error), error) {
	if token, err := bridgeToken(file); token == "" || err != nil {
		return nil, err
	}
	return func() (string, error) { return bridgeToken(file) }, nil
}

// bridgeToken returns the token of a file, else that of the environment.
func bridgeToken(file string) (string, error) {
	if file == "" {
		return strings.TrimSpace(os.Getenv(tokenVariable)), nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	switch {
	case token == "":
		return "", fmt.Errorf("--token-file: %s is empty", file)
	case configfile.Exposed(file):
		return "", fmt.Errorf("--token-file: everyone on this machine may read %s; use chmod o-r", file)
	}
	return token, nil
}

// wantsColor reports whether the output is to have colors.
func wantsColor(when string, stdout io.Writer) (bool, error) {
	switch when {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		_, ok := fileOf(stdout)
		return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb", nil
	}
	return false, errors.New("--color is auto, always or never")
}

// widthOf returns the width of a terminal now; 0 if it is none.
func widthOf(w io.Writer) int {
	f, ok := fileOf(w)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// fileOf returns the terminal that a writer is.
func fileOf(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}
