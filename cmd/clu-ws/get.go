package main

import (
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/terminal"
)

// maxAgeFlag is the flag of subcommands that take values.
func maxAgeFlag() cli.Flag {
	return &cli.StringFlag{Name: "max-age", Usage: "take values up to this `AGE`, or any (default: as long as the actor is heard as usual)"}
}

// maxAge reads --max-age.
func maxAge(c *cli.Context) (time.Duration, error) {
	switch text := c.String("max-age"); text {
	case "":
		return 0, nil
	case "any":
		return terminal.AnyAge, nil
	default:
		age, err := time.ParseDuration(text)
		if err != nil || age <= 0 {
			return 0, terminal.Usage("--max-age %s, or any", notATime(text))
		}
		return age, nil
	}
}

func getCommand(stdout, stderr io.Writer) *cli.Command {
	return terminalCommand(cli.Command{
		Name:      "get",
		Usage:     "print the last values of keywords",
		ArgsUsage: "ACTOR.KEYWORD...",
		Flags:     []cli.Flag{maxAgeFlag()},
	}, stdout, stderr, false, func(c *cli.Context, args []string, env *terminal.Env) error {
		age, err := maxAge(c)
		if err != nil {
			return err
		}
		return terminal.Get(c.Context, env, terminal.GetOptions{Patterns: args, MaxAge: age})
	})
}
