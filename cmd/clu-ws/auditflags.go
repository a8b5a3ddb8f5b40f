package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge/audit"
)

// auditWords are the values of --audit that are not files.
var auditWords = map[string]bool{audit.Stdout: true, audit.Syslog: true}

func auditFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "audit", EnvVars: env("audit"), Category: catAdmin, DefaultText: "not recorded", Usage: "`FILE` that records who did what, one JSON object a line: who entered, what was refused, each command and how it ended; or syslog, or stdout"},
		&cli.BoolFlag{Name: "audit-required", EnvVars: env("audit-required"), Category: catAdmin, Usage: "refuse a command that cannot be recorded"},
	}
}

// auditSettings are the flags of the audit log.
type auditSettings struct {
	target   string // "" is none
	required bool
}

func readAudit(c *cli.Context) (a auditSettings, err error) {
	a = auditSettings{c.String("audit"), c.Bool("audit-required")}
	if a.required && a.target == "" {
		return a, errors.New("--audit-required needs --audit FILE, syslog or stdout")
	}
	return a, nil
}
