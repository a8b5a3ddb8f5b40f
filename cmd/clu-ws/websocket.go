package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/listen"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

func websocketCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:         "websocket",
		Usage:        "bridge actors and WebSocket clients, in place of clu websocket",
		Flags:        websocketFlags(),
		OnUsageError: usageError,
		Action:       func(c *cli.Context) error { return websocket(c, stdout, stderr) },
	}
}

// websocketFlags returns the flags of clu-ws websocket.
func websocketFlags() []cli.Flag {
	return slices.Concat(listenFlags("0.0.0.0"), brokerFlags(), cluFlags(), historyFlags(), roomFlags(), limitFlags(), adminFlags(), auditFlags(), testFlags())
}

func websocket(c *cli.Context, stdout, stderr io.Writer) error {
	report := listen.FailureReporter()
	s, err := newService(c, stdout, stderr, readWebsocket)
	if err != nil {
		report(err)
		return err
	}
	err = serveWebsocket(c, s)
	report(err)
	return s.told(err)
}

// serveWebsocket runs the bridge, with a broker of its own if that is wanted.
func serveWebsocket(c *cli.Context, s *service) error {
	if c.Bool("embedded-broker") {
		secret, err := password(c)
		if err != nil {
			return err
		}
		if err := s.embedBroker(fmt.Sprintf("127.0.0.1:%d", c.Int("rabbitmq-port")), c.String("user"), secret); err != nil {
			return err
		}
		s.bridge.Broker = []string{s.brokerURL}
	}
	return s.serve(c.Context)
}

// bridgeConfig reads the flags that configure a bridge. The error has all that are wrong.
func bridgeConfig(c *cli.Context) (cfg bridge.Config, err error) {
	var all []error
	for _, read := range []func(*cli.Context, *bridge.Config) error{
		readCLU, readBroker, readHistory, readRooms, readLimits, readDrain, readExport, readAccess,
	} {
		all = append(all, read(c, &cfg))
	}
	cfg.LogCommands = c.Bool("log-commands")
	cfg.Page = webdemo.Handler()
	cfg.Compress = c.Bool("compress")
	cfg.PortablePoller, err = usePortablePoller(c)
	return cfg, errors.Join(append(all, err)...)
}
