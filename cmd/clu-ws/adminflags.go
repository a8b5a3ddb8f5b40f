package main

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/listen"
)

// adminFlag is --admin, which the demo has, too.
func adminFlag() cli.Flag {
	return &cli.StringFlag{Name: "admin", EnvVars: env("admin"), Category: catAdmin, DefaultText: "not served", Usage: "`ADDRESS` of the admin server, such as 127.0.0.1:9877 or unix:/path/to/socket: /metrics for Prometheus, /healthz, /readyz, Go's profiles and an API that sends commands; without the section access of --config, everyone who reaches it may use all of it"}
}

func adminFlags() []cli.Flag {
	return []cli.Flag{
		adminFlag(),
		&cli.StringFlag{Name: "export", EnvVars: env("export"), Category: catAdmin, Usage: "a `FILTER` that chooses the numeric and boolean keywords that /metrics/keywords of the admin server has for Prometheus, such as {\"sender\": [\"weather\"]}; {} is all"},
		&cli.IntFlag{Name: "shed-rate", Value: 500, EnvVars: env("shed-rate"), Category: catAdmin, Usage: "`CLIENTS` closed per second while the bridge drains; more if --drain-timeout requires it"},
		&cli.DurationFlag{Name: "drain-delay", EnvVars: env("drain-delay"), Category: catAdmin, Usage: "`TIME` after SIGTERM for which /readyz says 503 and clients are still accepted and served, so that a load balancer can turn to another bridge first"},
		&cli.DurationFlag{Name: "drain-timeout", Value: 30 * time.Second, EnvVars: env("drain-timeout"), Category: catAdmin, Usage: "longest `TIME` that draining takes after SIGTERM"},
		&cli.BoolFlag{Name: "log-commands", Value: true, EnvVars: env("log-commands"), Category: catAdmin, Usage: "log each command: consumer, id, client, first word and outcome; --log-commands=false turns it off"},
	}
}

// readDrain reads the flags of draining into a bridge's configuration.
func readDrain(c *cli.Context, cfg *bridge.Config) (err error) {
	if cfg.Drain.ShedRate = c.Int("shed-rate"); cfg.Drain.ShedRate < 1 {
		return fmt.Errorf("--shed-rate %d must be at least 1", cfg.Drain.ShedRate)
	}
	if cfg.Drain.Timeout, err = atLeast(c, "drain-timeout", minDuration); err != nil {
		return err
	}
	if cfg.Drain.Delay, err = atLeast(c, "drain-delay", 0); err != nil {
		return err
	}
	if cfg.Drain.Delay > cfg.Drain.Timeout/2 {
		return fmt.Errorf("--drain-delay %v must be at most half of --drain-timeout %v: the rest is for closing the clients", cfg.Drain.Delay, cfg.Drain.Timeout)
	}
	return nil
}

// readAdmin reads --admin.
func readAdmin(c *cli.Context, s *settings) (err error) {
	s.admin, err = adminAddr(c)
	s.bridge.AdminHost = adminHost(s.admin)
	return err
}

// readExport reads --export into a bridge's configuration.
func readExport(c *cli.Context, cfg *bridge.Config) (err error) {
	text := c.String("export")
	if text == "" {
		return nil
	}
	if cfg.Export, err = filter.Parse([]byte(text)); err != nil {
		return fmt.Errorf("--export: %w", err)
	}
	return nil
}

// adminAddr returns the address of the admin server; nil if there is none.
func adminAddr(c *cli.Context) (*listen.Address, error) {
	if c.String("admin") == "" {
		return nil, nil
	}
	a, err := listen.ParseAddress(c.String("admin"))
	if err != nil {
		return nil, fmt.Errorf("--admin: %w", err)
	}
	return &a, nil
}

// adminHost returns the host name in --admin; "" if there is none or it is an IP
// address.
func adminHost(a *listen.Address) string {
	if a == nil || a.Network != "tcp" {
		return ""
	}
	host := a.Name[:strings.LastIndexByte(a.Name, ':')]
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ""
	}
	return host
}
