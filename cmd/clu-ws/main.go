// Command clu-ws stands between CLU actors on a RabbitMQ exchange and web
// pages: it relays every reply to every WebSocket client, and turns a client's
// JSON into a command.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the program at once
	}()
	log := newLogWriter(os.Stderr)
	err := run(ctx, os.Args, os.Stdout, log)
	log.flush(time.Second)
	if err != nil {
		fmt.Fprintln(os.Stderr, "clu-ws:", err)
		os.Exit(1)
	}
}

// run is the program: what it serves ends with the context.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return newApp(stdout, stderr).RunContext(ctx, args)
}

func newApp(stdout, stderr io.Writer) *cli.App {
	return &cli.App{
		Name:            "clu-ws",
		Usage:           "a WebSocket bridge to CLU actors on RabbitMQ",
		Version:         version(),
		HideHelpCommand: true,
		Writer:          stdout,
		ErrWriter:       stderr,
		Commands:        []*cli.Command{websocketCommand(stdout, stderr), demoCommand(stdout, stderr), benchCommand(stdout, stderr)},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return fmt.Errorf("there is no command %q; see clu-ws --help", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		// Errors are returned to main, which prints each once.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   usageError,
		// A comma may be part of a URL's password.
		DisableSliceFlagSeparator: true,
	}
}

// usageError is what is wrong with a flag, without the page of help that would
// push it off the screen.
func usageError(c *cli.Context, err error, _ bool) error {
	return fmt.Errorf("%w; see %s --help", err, c.Command.HelpName)
}

func newLogger(level slog.Level, to io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: level}))
}
