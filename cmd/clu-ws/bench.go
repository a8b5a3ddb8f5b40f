package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bench"
)

const notUnderstood = "%q is not understood; see %s --help"

func benchCommand(stdout, stderr io.Writer) *cli.Command {
	flags := []cli.Flag{
		&cli.StringSliceFlag{Name: "only", Usage: "`SCENARIO` to run, repeated or separated by commas; neighbours, outbound and tls select all that begin so, and hundredthousand runs only when it is asked for: " + strings.Join(bench.Scenarios(), ", ")},
		&cli.IntFlag{Name: "rounds", Usage: "`N` turns of reference and server", DefaultText: "5"},
		&cli.BoolFlag{Name: "quick", Usage: "one short round of everything, for a first look"},
		&cli.StringFlag{Name: "broker-url", Usage: "`URL` of a RabbitMQ to use, instead of the embedded broker"},
		&cli.StringFlag{Name: "rabbitmq-url", Usage: "`URL` of a RabbitMQ for the scenarios that need one; without it they are left out"},
		&cli.PathFlag{Name: "clu", Usage: "`PROGRAM` of CLU 2.6.1, to measure clu websocket too; without it that is left out"},
		&cli.PathFlag{Name: "server", Usage: "`PROGRAM` whose clu-ws websocket is measured, such as an older version", DefaultText: "this program"},
		&cli.StringSliceFlag{Name: "server-arg", Usage: "`FLAG` for the clu-ws websocket under test, as in --server-arg=--compress; may be repeated"},
		&cli.DurationFlag{Name: "longest", Usage: "longest `TIME` of a round of the neighbours scenarios", DefaultText: "15s"},
		&cli.PathFlag{Name: "json", Usage: "`FILE` for the figures"},
	}
	if _, err := exec.LookPath("perf"); err == nil {
		flags = append(flags, &cli.PathFlag{Name: "perf", Usage: "`FOLDER` for recordings of the server by perf; they add to its CPU"})
	}
	return &cli.Command{
		Name:            "bench",
		Usage:           "measure the bridge against bare loops (Linux only), in about seven minutes, or nine with a RabbitMQ",
		Flags:           flags,
		HideHelpCommand: true,
		OnUsageError:    usageError,
		Action:          func(c *cli.Context) error { return runBench(c, stdout, stderr) },
		Subcommands:     []*cli.Command{loadCommand(stdout), baselineCommand(stdout), tlsBaselineCommand(stdout), relayCommand(stdout), workerCommand(stdout), brokerCommand(stdout)},
	}
}

func runBench(c *cli.Context, stdout, stderr io.Writer) error {
	if c.Args().Present() {
		return fmt.Errorf(notUnderstood, c.Args().First(), c.Command.HelpName)
	}
	sizes := bench.FullSizes()
	if c.Bool("quick") {
		sizes = bench.QuickSizes()
	}
	if c.IsSet("rounds") {
		sizes.Rounds = max(1, c.Int("rounds"))
	}
	if c.IsSet("longest") {
		sizes.MaxRound = max(time.Second, c.Duration("longest"))
	}
	return bench.Run(c.Context, bench.Config{
		Server:      c.Path("server"),
		ServerArgs:  c.StringSlice("server-arg"),
		BrokerURL:   c.String("broker-url"),
		RabbitMQURL: c.String("rabbitmq-url"),
		CLU:         c.Path("clu"),
		Only:        splitCommas(c.StringSlice("only")),
		Sizes:       sizes,
		JSON:        c.Path("json"),
		Perf:        c.Path("perf"),
		Stdout:      stdout,
		Progress:    stderr,
	})
}

// splitCommas takes lists apart: the command line leaves commas alone, since a
// flag of a server may hold some.
func splitCommas(values []string) []string {
	var all []string
	for _, v := range values {
		all = append(all, strings.Split(v, ",")...)
	}
	return all
}

func loadCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "load",
		Usage: "connect clients to a server that runs already, read, and tell the rate",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "url", Value: "ws://127.0.0.1:9876/", Usage: "`URL` of the server"},
			&cli.IntFlag{Name: "clients", Value: 1000, Usage: "`N` clients"},
			&cli.DurationFlag{Name: "duration", Value: 10 * time.Second, Usage: "`TIME` to stay; 0s is until Ctrl-C"},
		},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return fmt.Errorf(notUnderstood, c.Args().First(), c.Command.HelpName)
			}
			return bench.Load(c.Context, bench.LoadConfig{
				URL: c.String("url"), Clients: c.Int("clients"), Duration: c.Duration("duration"), Stdout: stdout,
			})
		},
	}
}

// baselineCommand and those below are the processes that bench starts beside the
// server, and nobody else.
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
