package main

import (
	"cmp"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/terminal"
	"github.com/clu-ws/clu-ws/terminal/plot"
)

func plotCommand(stdout, stderr io.Writer) *cli.Command {
	return terminalCommand(cli.Command{
		Name:      "plot",
		Usage:     "draw what keywords were, or write it as CSV",
		ArgsUsage: "ACTOR.KEYWORD...",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "since", Value: "1h", Usage: "begin this `TIME` ago, as in 6h, or at a time, as in 2026-11-21T03:38:40Z"},
			&cli.StringFlag{Name: "until", Usage: "end this `TIME` ago, or at a time (default: now)"},
			&cli.IntFlag{Name: "height", Value: 10, Usage: "`LINES` of each curve"},
			&cli.IntFlag{Name: "points", Usage: "at most this `NUMBER` of values of each keyword (default: as many as the bridge gives)"},
			&cli.BoolFlag{Name: "ascii", Usage: "draw with ASCII only, as is done in a locale without UTF-8"},
			&cli.BoolFlag{Name: "csv", Usage: "write a row for each time at which a keyword changed"},
			&cli.BoolFlag{Name: "extremes", Usage: "in CSV, also the least and the greatest values of times of which the bridge keeps a summary"},
		},
	}, stdout, stderr, false, func(c *cli.Context, args []string, env *terminal.Env) error {
		return plot.Run(c.Context, env, plot.Options{
			Keywords: args, Since: c.String("since"), Until: c.String("until"), CSV: c.Bool("csv"), Extremes: c.Bool("extremes"),
			Points: c.Int("points"), Height: c.Int("height"), ASCII: c.Bool("ascii") || !isUTF8(os.Getenv),
		})
	})
}

// isUTF8 reports whether the locale has UTF-8.
func isUTF8(getenv func(string) string) bool {
	locale := strings.ToLower(cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG")))
	return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
}
