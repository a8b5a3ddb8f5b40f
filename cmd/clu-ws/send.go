package main

import (
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/terminal"
)

func sendCommand(stdout, stderr io.Writer) *cli.Command {
	return terminalCommand(cli.Command{
		Name:      "send",
		Usage:     "send a command to an actor and wait for its end",
		ArgsUsage: "ACTOR COMMAND...",
		Description: "The flags of clu-ws may also stand after the command. Other words that begin with - belong to the command,\n" +
			"and so does everything after --, as in: clu-ws send camera -- expose --timeout 5",
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "timeout", Usage: "stop waiting after this `TIME`; the command goes on", DefaultText: "never"},
			&cli.DurationFlag{Name: "expires", Value: 5 * time.Second, Usage: "do not send the command later than after this `TIME`"},
			&cli.StringFlag{Name: "id", Usage: "`ID` of the command (default: a new one)"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "do not print the replies"},
			&cli.StringFlag{Name: "get", Usage: "print only the value that this `KEYWORD` has in the replies"},
		},
	}, stdout, stderr, true, func(c *cli.Context, args []string, env *terminal.Env) error {
		if len(args) < 2 {
			return terminal.Usage("a command needs an ACTOR and its words; see %s --help", c.Command.HelpName)
		}
		signal.Ignore(syscall.SIGPIPE)         // a reader that has gone, such as head, does not end the wait for the command's end
		_, flags, _ := splitArguments(c, true) // which was understood
		var after []string
		for _, f := range flags {
			if f.after > 1 {
				after = append(after, f.written)
			}
		}
		return terminal.Send(c.Context, env, terminal.SendOptions{
			Consumer: args[0], Words: args[1:], ID: c.String("id"), Timeout: c.Duration("timeout"),
			Expires: c.Duration("expires"), Quiet: c.Bool("quiet"), Get: c.String("get"), FlagsAfter: after,
		})
	})
}

// noMore returns an error if there are more arguments than a subcommand takes.
func noMore(c *cli.Context, args []string, most int) error {
	if len(args) <= most {
		return nil
	}
	return &terminal.ExitError{Code: terminal.ExitUsage, Err: fmt.Errorf(notUnderstood, args[most], c.Command.HelpName)}
}

// first returns the first argument, "" if there is none.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
