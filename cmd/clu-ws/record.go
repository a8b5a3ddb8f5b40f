package main

import (
	"context"
	"io"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/terminal"
)

func recordCommand(stdout, stderr io.Writer) *cli.Command {
	return terminalCommand(cli.Command{
		Name:      "record",
		Usage:     "write replies to a file, for clu-ws replay, until Ctrl-C",
		ArgsUsage: "FILE [ACTOR[.KEYWORD]...]",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "sender", Usage: "only replies of this `ACTOR`, which may have wildcards; repeat for more"},
			&cli.StringFlag{Name: "filter", Usage: "only replies that this `FILTER` selects, in JSON, as in the protocol"},
			&cli.DurationFlag{Name: "since", Usage: "begin with the replies of this `TIME`"},
			&cli.IntFlag{Name: "count", Aliases: []string{"n"}, Usage: "end after this `NUMBER` of replies"},
			&cli.DurationFlag{Name: "wait", Usage: "end after this `TIME`"},
			&cli.BoolFlag{Name: "force", Usage: "replace a file that is there"},
		},
	}, stdout, stderr, false, func(c *cli.Context, args []string, env *terminal.Env) error {
		o := terminal.RecordOptions{File: first(args), Force: c.Bool("force"), ListenOptions: terminal.ListenOptions{
			Senders: listValues(c, "sender"), Filter: c.String("filter"), Since: c.Duration("since"), Count: c.Int("count"), Wait: c.Duration("wait"),
		}}
		if len(args) > 1 {
			o.Patterns = args[1:]
		}
		ctx := c.Context
		if !signal.Ignored(syscall.SIGHUP) { // as with nohup
			var stop context.CancelFunc
			ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
			defer stop()
		}
		return terminal.Record(ctx, env, o)
	})
}
