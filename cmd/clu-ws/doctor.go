package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/dialect/catalog"
	"github.com/clu-ws/clu-ws/internal/configfile"
	"github.com/clu-ws/clu-ws/internal/doctor"
	"github.com/clu-ws/clu-ws/redislink"
	"github.com/clu-ws/clu-ws/terminal"
)

// usualClients is how many clients the machine is checked for if --max-clients does not say.
const usualClients = 3000

func doctorCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "try what a bridge needs, from the name service to the permissions at the broker, and say what is wrong and how to mend it; it takes the flags of clu-ws websocket",
		Flags: slices.Concat(websocketFlags(), []cli.Flag{
			&cli.DurationFlag{Name: "for", Value: 3 * time.Second, Usage: "listen to actors for this `TIME`"},
			&cli.BoolFlag{Name: "json", Usage: "write JSON, for a program"},
		}),
		OnUsageError: usageError,
		Action:       func(c *cli.Context) error { return runDoctor(c, stdout) },
	}
}

func runDoctor(c *cli.Context, stdout io.Writer) error {
	if _, err := atLeast(c, "for", 0); err != nil {
		return err
	}
	report := &doctor.Report{}
	if !c.Bool("json") {
		report.Heard = func(f doctor.Finding) { f.Print(stdout) }
	}
	if s := diagnoseSettings(c, report); s != nil {
		s.diagnose(c, report)
	}
	if c.Bool("json") {
		if err := report.JSON(stdout); err != nil {
			return err
		}
	} else {
		report.PrintEnd(stdout)
	}
	if report.Count(doctor.Problem) > 0 {
		return &terminal.ExitError{Code: terminal.ExitFailed, Err: terminal.ErrTold}
	}
	return nil
}

// excerpt is a line of the file of --config below an error about it, which has its place.
var excerpt = regexp.MustCompile(`^\s*\d*\s*\|`)

// diagnoseSettings checks the flags, the variables and the file of --config. It returns nil if nothing further can be
// tried.
func diagnoseSettings(c *cli.Context, r *doctor.Report) *settings {
	s, err := readSettings(c, readWebsocket)
	var warnings bytes.Buffer
	if s != nil {
		_, err = s.examine(c, err, &warnings)
	}
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			if !excerpt.MatchString(line) {
				r.Fail("config", "", "%s", strings.TrimSpace(line))
			}
		}
		return s
	}
	given := "the flags and variables"
	if s.file != nil {
		given = s.file.Path
	}
	r.OK("config", "%s can be used", given)
	for line := range strings.Lines(warnings.String()) {
		r.Warn("config", "", "%s", strings.TrimSpace(line))
	}
	for _, path := range s.secrets {
		if configfile.Exposed(path) {
			r.Warn("config", "chmod o-r "+path, "everyone on this machine may read %s, which has a secret", path)
		}
	}
	return s
}

// diagnose checks everything else.
func (s *settings) diagnose(c *cli.Context, r *doctor.Report) {
	clients := s.bridge.Limits.MaxConnections
	if clients == 0 {
		clients = usualClients
	}
	r.Machine(clients)
	cfg := doctor.Config{
		Name: s.bridge.Name, Version: releaseVersion, Brokers: s.bridge.Broker, TLS: s.bridge.TLS, Exchange: s.bridge.Exchange,
		Presence: s.bridge.Presence, Listen: c.Duration("for"), Advise: withAdvice,
	}
	for _, source := range s.bridge.Sources {
		if source.Redis != nil {
			r.Redis(c.Context, source.Name(), redislink.Config{URL: source.Redis.URL, TLS: cfg.TLS, Channels: source.Redis.Patterns()})
			continue
		}
		cfg.Sources = append(cfg.Sources, doctor.Source{Exchange: source.Exchange, Type: source.Type, Binding: cmp.Or(source.Binding, "#")})
	}
	if s.file != nil {
		for _, address := range catalog.Backends(s.file.Dialects) {
			r.Backend(c.Context, address)
		}
		cfg.Status = catalog.StatusExchanges(s.file.Dialects)
	}
	cfg.Expires = s.bridge.Durable.Expires
	if stream := s.bridge.Durable.Stream; stream != nil {
		cfg.Stream = &amqpx.Stream{Name: cmp.Or(stream.Name, s.bridge.Exchange+"_stream"), MaxAge: stream.Age, MaxBytes: stream.Bytes}
	}
	s.diagnoseListeners(c.Context, r, cfg)
	if c.Bool("embedded-broker") {
		r.OK("broker", "the broker is in the bridge's own process; clu-ws doctor does not start it")
		return
	}
	r.Broker(c.Context, cfg)
}

// diagnoseListeners checks the certificates and the addresses, and says which bridge runs there.
func (s *settings) diagnoseListeners(ctx context.Context, r *doctor.Report, cfg doctor.Config) {
	if s.listeners.certificate != nil {
		r.Certificate("tls", "the certificate of --tls-cert", s.listeners.certificate.End())
	}
	if cfg.TLS != nil {
		for _, own := range cfg.TLS.Certificates {
			if own.Leaf != nil {
				r.Certificate("broker.cert", "the certificate of --cert", own.Leaf.NotAfter)
			}
		}
	}
	for _, a := range s.listeners.addresses {
		r.Address(ctx, "listen", a.Address, s.listeners.flag)
	}
	if s.admin != nil {
		r.Address(ctx, "admin", *s.admin, "--admin")
		r.Running(ctx, *s.admin, cfg)
		return
	}
	r.Warn("admin", fmt.Sprintf("start the bridge with --admin %s", "127.0.0.1:9877"), "there is no --admin: no metrics, and no way to ask the bridge how it is")
}
