package main

import (
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/internal/configfile"
)

const variablePrefix = "CLU_WS_"

// foreignVariables are those that begin like the program's and are another's: Kubernetes sets them for Services whose
// names begin with clu-ws, and the tests of this repository have some.
var foreignVariables = regexp.MustCompile(`^CLU_WS_(?:(?:\w+_)?SERVICE_(?:HOST|PORT)(?:_\w+)?|(?:\w+_)?PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?|TEST_\w+|SEEDS)$`)

// variableNames returns the variables of all subcommands, without their prefix and as flags are written.
func variableNames(app *cli.App) (known []string) {
	for _, command := range app.Commands {
		for _, f := range command.Flags {
			if doc, ok := f.(cli.DocGenerationFlag); ok && len(doc.GetEnvVars()) > 0 {
				known = append(known, f.Names()[0])
			}
		}
	}
	for _, name := range []string{bridgeVariable, brokerVariable, tokenVariable} {
		known = append(known, asFlag(name))
	}
	return known
}

// asFlag returns the flag that a variable would be of.
func asFlag(variable string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, variablePrefix), "_", "-"))
}

// unknownVariables returns the variables of the environment that look like the program's and are none, sorted, and the
// one that each may be meant to be, or "". Their values are not returned: they may be secret.
func unknownVariables(app *cli.App, environment []string) (names, meant []string) {
	known := variableNames(app)
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, variablePrefix) && !slices.Contains(known, asFlag(name)) && !foreignVariables.MatchString(name) && !setByKubernetes(name, value) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		best := configfile.Similar(asFlag(name), known)
		if best != "" {
			best = variable(best)
		}
		meant = append(meant, best)
	}
	return names, meant
}

// warnOfUnknownVariables warns of variables that have no effect.
func warnOfUnknownVariables(c *cli.Context, log *slog.Logger) {
	names, meant := unknownVariables(c.App, os.Environ())
	for i, name := range names {
		advice := "see docs/configuration.md"
		if meant[i] != "" {
			advice = "did you mean " + meant[i] + "?"
		}
		log.Warn("an environment variable is unknown and has no effect", "variable", name, "advice", advice)
	}
}
