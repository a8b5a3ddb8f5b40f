package main

import (
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/terminal"
)

func shellCommand(stdout, stderr io.Writer) *cli.Command {
	return terminalCommand(cli.Command{
		Name:      "shell",
		Usage:     "send commands line by line, with completion and replies as they come",
		ArgsUsage: "[ACTOR]",
		Description: "Each line goes to ACTOR; without one, it begins with its actor. Lines that begin with a point are for the shell: see .help.\n" +
			"If the standard input is no terminal, each line is sent when the one before has ended. The exit code is the last command's.",
	}, stdout, stderr, false, func(c *cli.Context, args []string, env *terminal.Env) error {
		if err := noMore(c, args, 1); err != nil {
			return err
		}
		o := terminal.ShellOptions{Actor: first(args)}
		out, isTerminal := fileOf(stdout)
		if _, typed := fileOf(os.Stdin); !typed || !isTerminal {
			o.Prompt = terminal.NewLinesPrompt(os.Stdin, stdout)
			return terminal.Shell(c.Context, env, o)
		}
		prompt, err := terminal.NewTerminalPrompt(os.Stdin, out, terminal.HistoryFile(os.Getenv))
		if err != nil {
			return err
		}
		defer prompt.Close()
		o.Prompt = prompt
		return terminal.Shell(c.Context, env, o)
	})
}
