package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/demo"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

func demoCommand(stdout, stderr io.Writer) *cli.Command {
	flags := append(listenFlags("127.0.0.1"),
		&cli.IntFlag{Name: "rabbitmq-port", Aliases: []string{"P"}, Value: 5672, EnvVars: env("rabbitmq-port"), Category: catBroker, Usage: "`PORT` of the embedded broker, which real actors may use; a free one if the default is taken"})
	flags = append(flags, adminFlag(),
		&cli.BoolFlag{Name: "dome-guard", Value: true, EnvVars: env("dome-guard"), Category: catBroker, Usage: "let the dome close by itself when the weather becomes unsafe; with --dome-guard=false it only does what it is told, so that you can try a guard of your own"},
		&cli.BoolFlag{Name: "night", Value: true, EnvVars: env("night"), Category: catBroker, Usage: "let nights pass, each in six minutes: an observer takes images, a storm closes the dome, an actor fails and comes back"})
	return &cli.Command{
		Name:         "demo",
		Usage:        "run an observatory on one machine: a broker, five simulated actors, the bridge and its page",
		Flags:        flags,
		OnUsageError: usageError,
		Action:       func(c *cli.Context) error { return runDemo(c, stdout, stderr) },
	}
}

// readDemo reads the flags of clu-ws demo.
func readDemo(c *cli.Context, s *settings) error {
	s.bridge.LogCommands = true // as clu-ws websocket does by default
	// Its actors end with it: no result can come any more.
	s.bridge.Drain.Timeout = 2 * time.Second
	if s.bridge.Site == nil {
		s.bridge.Site = demo.Site()
	}
	s.bridge.Export = new(filter.Filter) // all keywords, for those who try Prometheus
	return errors.Join(readAccess(c, &s.bridge), readAdmin(c, s))
}

func runDemo(c *cli.Context, stdout, stderr io.Writer) error {
	s, err := newService(c, stdout, stderr, readDemo)
	if err != nil {
		return err
	}
	const user, password = "guest", "guest"
	err = s.embedBroker(fmt.Sprintf("127.0.0.1:%d", c.Int("rabbitmq-port")), user, password)
	if err != nil && !c.IsSet("rabbitmq-port") {
		// The port is in use, probably by a RabbitMQ.
		err = s.embedBroker("127.0.0.1:0", user, password)
	}
	if err != nil {
		return err
	}
	s.bridge.Exchange, s.bridge.Broker = actor.Exchange, []string{s.brokerURL}
	s.bridge.Page, s.bridge.Compress = webdemo.Handler(), c.Bool("compress")
	s.bridge.History.Replies, s.bridge.History.Age, s.bridge.KeywordHistory = 50_000, 24*time.Hour, 64<<20 // as by default
	s.bridge.Envelope.NaN = actor.NaNString                                                                // so that the page tells it from null
	s.greeting = fmt.Sprintf("The demo's broker is at %s (guest/guest); real actors may use it. Open the page in a browser; Ctrl-C ends the demo.\n", amqpx.Redact(s.brokerURL))

	ctx, stop := context.WithCancel(c.Context)
	var actors sync.WaitGroup
	defer actors.Wait()
	defer stop()
	actors.Go(func() {
		if err := demo.Run(ctx, demo.Config{URL: s.brokerURL, Exchange: actor.Exchange, Logger: s.log, Night: c.Bool("night"), NoDomeGuard: !c.Bool("dome-guard")}); err != nil {
			s.log.Error("the simulated actors ended", "error", err)
		}
	})
	return s.told(s.serve(ctx))
}
