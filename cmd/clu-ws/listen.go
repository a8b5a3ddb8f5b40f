package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/terminal"
)

func listenCommand(stdout, stderr io.Writer) *cli.Command {
	return terminalCommand(cli.Command{
		Name:      "listen",
		Usage:     "print the replies of actors as they come",
		ArgsUsage: "[ACTOR[.KEYWORD]...]",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "sender", Usage: "only replies of this `ACTOR`, which may have wildcards; repeat for more"},
			&cli.StringFlag{Name: "code", Usage: "only replies with one of these message `CODES`, as in we!"},
			&cli.StringFlag{Name: "filter", Usage: "only replies that this `FILTER` selects, in JSON, as in the protocol"},
			&cli.BoolFlag{Name: "internal", Usage: "also replies that are not meant for people"},
			&cli.DurationFlag{Name: "since", Usage: "begin with the replies of this `TIME`", DefaultText: "now"},
			&cli.IntFlag{Name: "count", Aliases: []string{"n"}, Usage: "end after this `NUMBER` of replies", DefaultText: "never"},
			&cli.DurationFlag{Name: "wait", Usage: "end after this `TIME`", DefaultText: "never"},
		},
	}, stdout, stderr, false, func(c *cli.Context, args []string, env *terminal.Env) error {
		return terminal.Listen(c.Context, env, terminal.ListenOptions{
			Patterns: args, Senders: listValues(c, "sender"), Codes: c.String("code"), Filter: c.String("filter"),
			Internal: c.Bool("internal"), Since: c.Duration("since"), Count: c.Int("count"), Wait: c.Duration("wait"),
		})
	})
}
