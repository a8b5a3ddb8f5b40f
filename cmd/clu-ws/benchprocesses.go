package main

import (
	"io"
	"os"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bench"
)

// The hidden subcommands of bench are the processes that it starts beside the server:
// references, clients and brokers. They communicate over standard input and output.

func baselineCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:   "baseline",
		Hidden: true,
		Action: func(c *cli.Context) error { return bench.Baseline(c.Context, os.Stdin, stdout) },
	}
}

func tlsBaselineCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:   "tls-baseline",
		Hidden: true,
		Flags:  []cli.Flag{&cli.PathFlag{Name: "tls-cert"}, &cli.PathFlag{Name: "tls-key"}},
		Action: func(c *cli.Context) error {
			return bench.TLSBaseline(c.Context, c.Path("tls-cert"), c.Path("tls-key"), os.Stdin, stdout)
		},
	}
}

func relayCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:   "relay",
		Hidden: true,
		Action: func(c *cli.Context) error { return bench.Relay(c.Context, c.Args().First(), os.Stdin, stdout) },
	}
}

func workerCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:   "worker",
		Hidden: true,
		Action: func(c *cli.Context) error {
			place, err := strconv.Atoi(c.Args().Get(1))
			if err != nil {
				return err
			}
			return bench.Worker(c.Context, c.Args().First(), place, os.Stdin, stdout)
		},
	}
}

func brokerCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:   "broker",
		Hidden: true,
		Action: func(c *cli.Context) error { return bench.Broker(c.Context, os.Stdin, stdout) },
	}
}
