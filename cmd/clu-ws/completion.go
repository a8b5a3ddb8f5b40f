package main

import (
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/internal/shlex"
	"github.com/clu-ws/clu-ws/terminal"
)

// takes says what the arguments of the subcommands are.
var takes = map[string]string{
	"send": terminal.TakesCommand, "help": terminal.TakesCommand, "shell": terminal.TakesActor, "schema": terminal.TakesActor, "hz": terminal.TakesActor,
	"get": terminal.TakesKeywords, "listen": terminal.TakesKeywords, "plot": terminal.TakesKeywords, "wait": terminal.TakesKeywords,
	"record": terminal.TakesFile, "replay": terminal.TakesFile,
}

// lineArgument is the argument by which the scripts call the program.
const lineArgument = "line"

func completionCommand(stdout, stderr io.Writer) *cli.Command {
	return terminalCommand(cli.Command{
		Name:        "completion",
		Usage:       "print the completion of clu-ws for a shell",
		ArgsUsage:   "bash|zsh|fish",
		Description: "In ~/.bashrc: source <(clu-ws completion bash)",
	}, stdout, stderr, false, func(c *cli.Context, args []string, env *terminal.Env) error {
		if first(args) == lineArgument && len(args) == 2 {
			return completeLine(c, args[1], stdout, stderr)
		}
		if len(args) == 0 {
			return terminal.Usage("name the shell: bash, zsh or fish")
		}
		if err := noMore(c, args, 1); err != nil {
			return err
		}
		script, err := terminal.CompletionScript(args[0])
		if err != nil {
			return err
		}
		_, err = io.WriteString(stdout, script)
		return err
	})
}

// completeLine prints what could follow in a line. The bridge is the line's, if it names one.
func completeLine(c *cli.Context, line string, stdout, stderr io.Writer) error {
	words, _ := shlex.Split(line)
	for i, word := range words {
		for _, name := range []string{"url", "amqp", "token-file"} {
			value, given := strings.CutPrefix(word, "--"+name+"=")
			if !given && word == "--"+name && i+1 < len(words) {
				value, given = words[i+1], true
			}
			if given {
				_ = c.Set(name, value) // a text is always accepted
			}
		}
	}
	env, err := terminalEnv(c, stdout, stderr)
	if err != nil {
		return err
	}
	token, _ := bridgeToken(c.String("token-file")) // terminalEnv has checked it
	return terminal.Complete(c.Context, env, subcommands(c.App.Commands), line, terminal.CacheFolder(os.Getenv, env.Server, token))
}

// subcommands returns what completion knows of the program.
func subcommands(commands []*cli.Command) (all []terminal.Subcommand) {
	for _, command := range commands {
		if command.Hidden {
			continue
		}
		s := terminal.Subcommand{Name: command.Name, Help: command.Usage, Takes: takes[command.Name]}
		if command.Name == "completion" {
			s.Words = []string{"bash", "zsh", "fish"}
		}
		for _, f := range command.VisibleFlags() {
			described, ok := f.(cli.DocGenerationFlag)
			if !ok {
				continue
			}
			dashes := "--"
			if len(f.Names()[0]) == 1 {
				dashes = "-"
			}
			s.Flags = append(s.Flags, terminal.Flag{Name: dashes + f.Names()[0], Help: strings.ReplaceAll(described.GetUsage(), "`", ""), TakesValue: described.TakesValue()})
		}
		all = append(all, s)
	}
	return all
}
