package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/terminal"
	"github.com/clu-ws/clu-ws/terminal/recording"
	"github.com/clu-ws/clu-ws/terminal/replay"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

func replayCommand(stdout, stderr io.Writer) *cli.Command {
	flags := append(listenFlags("127.0.0.1"),
		&cli.IntFlag{Name: "rabbitmq-port", Aliases: []string{"P"}, EnvVars: env("rabbitmq-port"), Category: catBroker, Usage: "`PORT` of the embedded broker", DefaultText: "a free one"},
		&cli.Float64Flag{Name: "speed", Value: 1, Usage: "how many seconds of the recording pass in a second"},
		&cli.StringFlag{Name: "from", Usage: "begin this `TIME` after the beginning, as in 10m, or at a time, as in 2026-11-21T03:38:40Z"},
		&cli.StringFlag{Name: "to", Usage: "end this `TIME` after the beginning, or at a time"},
	)
	return &cli.Command{
		Name:      "replay",
		Usage:     "publish a recording of clu-ws record again, on a broker of its own with a bridge and its page",
		ArgsUsage: "FILE",
		Description: "There is no flag for another broker: what was said in a night would be taken for what is now.\n" +
			"No command is sent. The bridge stays after the end, until Ctrl-C.",
		Flags:        flags,
		OnUsageError: usageError,
		Action:       func(c *cli.Context) error { return runReplay(c, stdout, stderr) },
	}
}

func runReplay(c *cli.Context, stdout, stderr io.Writer) error {
	args, err := flagsAfterArguments(c, false)
	if err != nil {
		return &terminal.ExitError{Code: terminal.ExitUsage, Err: err}
	}
	if len(args) != 1 {
		return terminal.Usage("name one recording; see %s --help", c.Command.HelpName)
	}
	o := replay.Options{Speed: c.Float64("speed"), From: c.String("from"), To: c.String("to")}
	if o.Speed == 0 {
		return terminal.Usage("the speed is more than 0: with 1 it is replayed as it was, with 1e9 as fast as possible")
	}
	if err := o.Check(); err != nil {
		return &terminal.ExitError{Code: terminal.ExitUsage, Err: err}
	}
	file, err := os.Open(args[0])
	if err != nil {
		return &terminal.ExitError{Code: terminal.ExitUsage, Err: err}
	}
	defer file.Close()
	r, err := recording.NewReader(file)
	if err != nil {
		return terminal.Usage("%s: %v", file.Name(), err)
	}
	s, err := newService(c, stdout, stderr, func(c *cli.Context, s *settings) error { return readAccess(c, &s.bridge) })
	if err != nil {
		return err
	}
	if err := s.embedBroker(fmt.Sprintf("127.0.0.1:%d", c.Int("rabbitmq-port")), "guest", "guest"); err != nil {
		return err
	}
	s.bridge.Exchange, s.bridge.Broker = actor.Exchange, []string{s.brokerURL}
	s.bridge.Page, s.bridge.Compress = webdemo.Handler(), c.Bool("compress")
	s.bridge.History.Replies, s.bridge.History.Age, s.bridge.KeywordHistory = 50_000, 24*time.Hour, 64<<20 // as by default
	s.bridge.Envelope.NaN = actor.NaNString
	s.opened = func(page string) {
		fmt.Fprintf(stdout, "Replays %s, recorded from %s at %s, on a broker at %s (guest/guest).\n",
			file.Name(), r.Header.Bridge, r.Header.Start.UTC().Format(time.RFC3339), amqpx.Redact(s.brokerURL))
		printPage(stdout, page)
	}
	ctx, stop := context.WithCancelCause(c.Context)
	var publishing sync.WaitGroup
	publishing.Go(func() {
		if err := s.replay(ctx, r, o, stderr); err != nil {
			stop(fmt.Errorf("%s: %w", file.Name(), err))
		}
	})
	err = s.serve(ctx)
	stop(nil)
	publishing.Wait()
	if failed := context.Cause(ctx); failed != nil && !errors.Is(failed, context.Canceled) {
		return failed
	}
	return err
}

// replay publishes the recording on the embedded broker, once the bridge listens, and says what it was.
func (s *service) replay(ctx context.Context, r *recording.Reader, o replay.Options, stderr io.Writer) error {
	link, err := amqpx.New(amqpx.Config{URLs: []string{s.brokerURL}, Dial: s.broker.Dial, Exchange: actor.Exchange, Name: "replay", Logger: s.log})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = link.Run(ctx) }) // it ends with the context
	if err := link.Ready(ctx); err != nil {
		return nil // the context has ended
	}
	report, err := replay.Run(ctx, r, o, func(ctx context.Context, m amqpx.Message) error { return publishHeard(ctx, link, m) })
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "clu-ws: %d replies were replayed", report.Published)
	if report.Gaps > 0 {
		fmt.Fprintf(stderr, "; at %d places, the recording may miss some", report.Gaps)
	}
	if report.Left > 0 {
		fmt.Fprintf(stderr, "; %d lines are no replies and were left out", report.Left)
	}
	if report.Torn {
		fmt.Fprint(stderr, "; the last line has no end and was left out")
	}
	fmt.Fprintln(stderr)
	return nil
}

// publishHeard publishes a reply that the bridge hears: a message that no queue takes is published again, until the bridge is
// there.
func publishHeard(ctx context.Context, link *amqpx.Link, m amqpx.Message) error {
	m.Mandatory = true
	if m.MessageId == "" {
		m.MessageId = uuid.NewString()
	}
	const again = 20 * time.Millisecond
	for {
		outcome, err := link.PublishWait(ctx, m)
		if err != nil || outcome == amqpx.Confirmed {
			return err
		}
		if outcome != amqpx.Returned {
			return fmt.Errorf("the broker does not take a reply: %v", outcome)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}
