package main

import (
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/terminal"
)

func hzCommand(stdout, stderr io.Writer) *cli.Command {
	return terminalCommand(cli.Command{
		Name:      "hz",
		Usage:     "measure how often an actor replies, and says each keyword",
		ArgsUsage: "ACTOR",
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "for", Value: 10 * time.Second, Usage: "measure for this `TIME`; Ctrl-C ends it earlier"},
			&cli.IntFlag{Name: "count", Aliases: []string{"n"}, Usage: "end after this `NUMBER` of replies", DefaultText: "when the time is over"},
		},
	}, stdout, stderr, false, func(c *cli.Context, args []string, env *terminal.Env) error {
		if err := noMore(c, args, 1); err != nil {
			return err
		}
		return terminal.Hz(c.Context, env, terminal.HzOptions{Actor: first(args), For: c.Duration("for"), Count: c.Int("count")})
	})
}
