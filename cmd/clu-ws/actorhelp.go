package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/terminal"
)

func actorHelpCommand(stdout, stderr io.Writer) *cli.Command {
	return terminalCommand(cli.Command{
		Name:      "help",
		Usage:     "print the commands of an actor, or how one of them is written",
		ArgsUsage: "ACTOR [COMMAND...]",
	}, stdout, stderr, false, func(c *cli.Context, args []string, env *terminal.Env) error {
		if len(args) == 0 {
			return cli.ShowAppHelp(c) // as programs do that have a subcommand help
		}
		err := terminal.Help(c.Context, env, args[0], args[1:])
		if err != nil && len(args) == 1 && c.App.Command(args[0]) != nil { // and no actor has this name
			return newApp(stdout, stderr).RunContext(c.Context, []string{c.App.Name, args[0], "--help"})
		}
		return err
	})
}

func schemaCommand(stdout, stderr io.Writer) *cli.Command {
	return terminalCommand(cli.Command{
		Name:      "schema",
		Usage:     "print the keywords of an actor, with their types and units",
		ArgsUsage: "ACTOR",
	}, stdout, stderr, false, func(c *cli.Context, args []string, env *terminal.Env) error {
		if err := noMore(c, args, 1); err != nil {
			return err
		}
		return terminal.Schema(c.Context, env, first(args))
	})
}
