package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bench"
)

func benchCommand(stdout, stderr io.Writer) *cli.Command {
	flags := []cli.Flag{
		&cli.StringSliceFlag{Name: "only", Usage: "`SCENARIO` to run; may be repeated, or several separated by spaces or commas. The names access, neighbours, outbound and tls select all that begin so, and hundredthousand runs only if it is named. The scenarios are " + strings.Join(bench.Scenarios(), ", ")},
		&cli.IntFlag{Name: "rounds", Usage: "`N` rounds of reference and server in turn", DefaultText: "5"},
		&cli.BoolFlag{Name: "quick", Usage: "run one short round of everything, for a first impression"},
		&cli.StringFlag{Name: "broker-url", Usage: "`URL` of a RabbitMQ to use, instead of the embedded broker"},
		&cli.StringFlag{Name: "rabbitmq-url", Usage: "`URL` of a RabbitMQ for the scenarios that need one; they are left out without it"},
		&cli.PathFlag{Name: "clu", Usage: "path of CLU 2.6.1's `PROGRAM` clu, to measure clu websocket too"},
		&cli.PathFlag{Name: "server", Usage: "`PROGRAM` to measure, such as an older clu-ws", DefaultText: "this program"},
		&cli.StringSliceFlag{Name: "server-arg", Usage: "`FLAG` for the clu-ws websocket that is measured, as in --server-arg=--compress; may be repeated"},
		&cli.DurationFlag{Name: "longest", Usage: "longest `TIME` of a round of the neighbours scenarios", DefaultText: "15s"},
		&cli.PathFlag{Name: "json", Usage: "`FILE` to which the results are written"},
		&cli.PathFlag{Name: "perf", Usage: "`FOLDER` for recordings of the server by perf, which must be installed; they add to the server's CPU time"},
	}
	return &cli.Command{
		Name:            "bench",
		Usage:           "measure the bridge against minimal references (Linux only), in about nine minutes, or eleven with a RabbitMQ",
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
		Only:        listValues(c, "only"),
		Sizes:       sizes,
		JSON:        c.Path("json"),
		Perf:        c.Path("perf"),
		Stdout:      stdout,
		Progress:    stderr,
	})
}

func loadCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "load",
		Usage: "connect clients to a running server, read, and print the rate",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "url", Value: "ws://127.0.0.1:9876/", Usage: "`URL` of the server"},
			&cli.IntFlag{Name: "clients", Value: 1000, Usage: "`NUMBER` of clients"},
			&cli.DurationFlag{Name: "duration", Value: 10 * time.Second, Usage: "`TIME` to stay connected; 0s until Ctrl-C"},
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
