package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

func websocketCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:         "websocket",
		Usage:        "serve WebSocket clients; takes the place of clu websocket",
		Flags:        slices.Concat(listenFlags("0.0.0.0"), brokerFlags(), cluFlags(), historyFlags(), roomFlags(), limitFlags(), adminFlags(), testFlags()),
		OnUsageError: usageError,
		Action:       func(c *cli.Context) error { return websocket(c, stdout, stderr) },
	}
}

func websocket(c *cli.Context, stdout, stderr io.Writer) error {
	s, err := newService(c, stdout, stderr)
	if err != nil {
		return err
	}
	if s.bridge, err = bridgeConfig(c); err != nil {
		return err
	}
	if s.admin, err = adminAddr(c); err != nil {
		return err
	}
	s.bridge.AdminHost = adminHost(s.admin)
	if c.Bool("embedded-broker") {
		if err := checkPort(c, "rabbitmq-port", 0); err != nil {
			return err
		}
		if err := s.embedBroker(fmt.Sprintf("127.0.0.1:%d", c.Int("rabbitmq-port")), c.String("user"), password(c)); err != nil {
			return err
		}
		s.bridge.Broker = []string{s.brokerURL}
	}
	return s.serve(c.Context)
}

// bridgeConfig reads the flags of the broker and of CLU. An embedded broker's
// address is known once it listens.
func bridgeConfig(c *cli.Context) (cfg bridge.Config, err error) {
	cfg.Name = c.String("name")
	cfg.Exchange = cmp.Or(c.String("exchange"), actor.Exchange)
	cfg.FailFast = c.Bool("fail-fast")
	cfg.CheckConsumers = c.Bool("check-consumers")
	cfg.Strict = c.Bool("clu-strict")
	cfg.Batch = c.Duration("batch")
	cfg.Envelope.NaiveTime = c.Bool("naive-time")
	if cfg.Envelope.NaN, err = actor.ParseNaNMode(c.String("nan")); err != nil {
		return cfg, fmt.Errorf("--nan: %w", err)
	}
	if err := chooseBroker(c, &cfg); err != nil {
		return cfg, err
	}
	for _, read := range []func(*cli.Context, *bridge.Config) error{readHistory, readRooms, readLimits, readDrain, readAccess} {
		if err := read(c, &cfg); err != nil {
			return cfg, err
		}
	}
	cfg.LogCommands = c.Bool("log-commands")
	cfg.Page = webdemo.Handler()
	cfg.Compress = c.Bool("compress")
	cfg.PortablePoller, err = usePortablePoller(c)
	return cfg, err
}

func chooseBroker(c *cli.Context, cfg *bridge.Config) (err error) {
	if c.Bool("embedded-broker") {
		for _, flag := range []string{"url", "rabbitmq-host", "vhost", "ssl", "ca", "cert", "key"} {
			if c.IsSet(flag) {
				return fmt.Errorf("--embedded-broker is the broker; leave --%s out", flag)
			}
		}
		return nil
	}
	if cfg.Broker, err = brokerURLs(c); err != nil {
		return err
	}
	cfg.TLS, err = brokerTLS(c, cfg.Broker)
	return err
}
