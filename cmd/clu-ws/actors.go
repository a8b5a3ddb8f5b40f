package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/terminal"
)

func actorsCommand(stdout, stderr io.Writer) *cli.Command {
	return terminalCommand(cli.Command{
		Name:  "actors",
		Usage: "print the actors, and whether they are still there",
	}, stdout, stderr, false, func(c *cli.Context, args []string, env *terminal.Env) error {
		if err := noMore(c, args, 0); err != nil {
			return err
		}
		return terminal.Actors(c.Context, env)
	})
}
