package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

func websocketCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:         "websocket",
		Usage:        "bridge actors and WebSocket clients, in place of clu websocket",
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

// bridgeConfig reads the flags that configure a bridge.
func bridgeConfig(c *cli.Context) (cfg bridge.Config, err error) {
	for _, read := range []func(*cli.Context, *bridge.Config) error{
		readCLU, readBroker, readHistory, readRooms, readLimits, readDrain, readAccess,
	} {
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
