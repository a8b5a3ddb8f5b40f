package main

import (
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/terminal"
)

func waitCommand(stdout, stderr io.Writer) *cli.Command {
	return terminalCommand(cli.Command{
		Name:      "wait",
		Usage:     "wait until a condition on keywords is true",
		ArgsUsage: "CONDITION",
		Description: "The condition is as those of the configuration file, and a text needs no quotes, as in:\n" +
			"clu-ws wait 'dome.dome_shutter==open and weather.wind_speed_ms < 15'",
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "timeout", Usage: "give up after this `TIME`", DefaultText: "never"},
			maxAgeFlag(),
		},
	}, stdout, stderr, false, func(c *cli.Context, args []string, env *terminal.Env) error {
		age, err := maxAge(c)
		if err != nil {
			return err
		}
		return terminal.Wait(c.Context, env, terminal.WaitOptions{Condition: strings.Join(args, " "), Timeout: c.Duration("timeout"), MaxAge: age})
	})
}
