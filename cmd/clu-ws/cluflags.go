package main

import (
	"cmp"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge"
)

func cluFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "name", EnvVars: env("name"), Category: catCLU, DefaultText: "amqp-client-<12 hex digits>", Usage: "`NAME` of the bridge as a CLU client"},
		&cli.StringFlag{Name: "exchange", Value: actor.Exchange, EnvVars: env("exchange"), Category: catCLU, Usage: "`EXCHANGE` of the actors"},
		&cli.StringFlag{Name: "nan", Value: "string", EnvVars: env("nan"), Category: catCLU, Usage: "`FORM` of NaN and Infinity in replies: string (the text NaN), null, which JavaScript counts as 0, or python (without quotes, as CLU writes them)"},
		&cli.BoolFlag{Name: "naive-time", EnvVars: env("naive-time"), Category: catCLU, Usage: "write timestamps without +00:00, as CLU before 2.6 did"},
		&cli.BoolFlag{Name: "check-consumers", EnvVars: env("check-consumers"), Category: catCLU, Usage: "fail a command whose actor has no queue <actor>_commands, even if another queue receives every command; not for actors whose queue has another name"},
		&cli.DurationFlag{Name: "batch", EnvVars: env("batch"), Category: catCLU, Usage: "longest `TIME`, up to 1s, that a reply to plain clients waits for others to be sent in the same write; v1 clients ask for it themselves (batch_ms)"},
		&cli.BoolFlag{Name: "clu-strict", EnvVars: env("clu-strict"), Category: catCLU, Usage: "ignore invalid input silently, as CLU does"},
	}
}

// readCLU reads the flags of CLU into a bridge's configuration.
func readCLU(c *cli.Context, cfg *bridge.Config) (err error) {
	cfg.Name = c.String("name")
	cfg.Exchange = cmp.Or(c.String("exchange"), actor.Exchange)
	cfg.CheckConsumers = c.Bool("check-consumers")
	cfg.Strict = c.Bool("clu-strict")
	cfg.Batch = c.Duration("batch")
	cfg.Envelope.NaiveTime = c.Bool("naive-time")
	if cfg.Envelope.NaN, err = actor.ParseNaNMode(c.String("nan")); err != nil {
		return fmt.Errorf("--nan: %w", err)
	}
	return nil
}
