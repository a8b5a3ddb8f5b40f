package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/internal/asynclog"
	"github.com/clu-ws/clu-ws/internal/eventlog"
	"github.com/clu-ws/clu-ws/terminal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the program at once
	}()
	log := asynclog.New(os.Stderr)
	err := run(ctx, os.Args, os.Stdout, log)
	log.Flush(time.Second)
	if err != nil {
		if !errors.Is(err, terminal.ErrTold) {
			fmt.Fprintln(os.Stderr, "clu-ws:", err)
		}
		os.Exit(terminal.ExitCode(err))
	}
}

// run runs the program until the context ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	app := newApp(stdout, stderr)
	app.Metadata = map[string]any{argsKey: args}
	return app.RunContext(ctx, args)
}

func newApp(stdout, stderr io.Writer) *cli.App {
	return &cli.App{
		Name:            "clu-ws",
		Usage:           "a WebSocket bridge to CLU actors on RabbitMQ",
		Version:         version(),
		HideHelpCommand: true,
		Flags:           []cli.Flag{cli.HelpFlag}, // not by itself, as there is a subcommand help
		Writer:          stdout,
		ErrWriter:       stderr,
		Commands: []*cli.Command{
			websocketCommand(stdout, stderr), demoCommand(stdout, stderr), checkCommand(stdout), doctorCommand(stdout), healthCommand(stdout), tokenCommand(stdout),
			benchCommand(stdout, stderr), configurationCommand(stdout), manCommand(),
			sendCommand(stdout, stderr), listenCommand(stdout, stderr), getCommand(stdout, stderr), waitCommand(stdout, stderr),
			actorsCommand(stdout, stderr), hzCommand(stdout, stderr), actorHelpCommand(stdout, stderr), schemaCommand(stdout, stderr),
			plotCommand(stdout, stderr), recordCommand(stdout, stderr), replayCommand(stdout, stderr), shellCommand(stdout, stderr), completionCommand(stdout, stderr),
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return noCommand(c, c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		// Errors are returned to main, which prints each once.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   usageError,
		// The password in a URL may have a comma: listValues separates values.
		DisableSliceFlagSeparator: true,
	}
}

// newLogger returns the logger of a bridge.
func newLogger(level slog.Leveler, format eventlog.Format, to io.Writer) *slog.Logger {
	return eventlog.New(to, eventlog.Options{Level: level, Format: format, Journal: eventlog.IsJournal(os.Stderr), ReplaceAttr: adviseInLog})
}
