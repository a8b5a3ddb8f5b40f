package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/configfile"
)

func checkCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:         "check",
		Usage:        "say what is wrong with the flags, the environment and the file of --config, or what they mean, without starting anything; it takes the flags of clu-ws websocket",
		Flags:        websocketFlags(),
		OnUsageError: usageError,
		Action:       func(c *cli.Context) error { return check(c, stdout) },
	}
}

func check(c *cli.Context, stdout io.Writer) error {
	s, err := readSettings(c, readWebsocket)
	if s == nil {
		return err
	}
	var warnings bytes.Buffer
	described, err := s.examine(c, err, &warnings)
	if err != nil {
		return err
	}
	if s.file != nil {
		fmt.Fprintf(stdout, "%s can be used.\n\n", s.file.Path)
	}
	s.printFlags(stdout)
	if s.file != nil && s.file.Site != nil {
		printSite(stdout, s.file.Site)
	}
	s.printDialects(stdout)
	printAccess(stdout, described, servesOnlyDialect(&s.bridge))
	if warnings.Len() > 0 {
		fmt.Fprintf(stdout, "\nThe bridge will warn:\n%s", warnings.String())
	}
	for _, path := range s.secrets {
		if configfile.Exposed(path) {
			fmt.Fprintf(stdout, "\nEveryone on this machine may read %s, which has a secret; use chmod o-r.\n", path)
		}
	}
	return nil
}

// examine adds to what the flags have found wrong what is found only by trying it, and returns who may do what.
func (s *settings) examine(c *cli.Context, flagsErr error, warnings io.Writer) (described []string, err error) {
	warnOfUnknownVariables(c, warningsTo(warnings))
	described, accessErr := s.describeAccess(warningsTo(warnings))
	bridgeErr := s.tryBridge(c)
	if flagsErr != nil && bridgeErr != nil && strings.Contains(flagsErr.Error(), bridgeErr.Error()) {
		bridgeErr = nil // the flags have said so
	}
	return described, errors.Join(flagsErr, accessErr, s.setClientCAs(), s.file.place(bridgeErr))
}

// warningsTo returns a logger whose warnings are written without their time.
func warningsTo(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// describeAccess returns who may do what; nil without a section access.
func (s *settings) describeAccess(log *slog.Logger) ([]string, error) {
	if s.access == nil {
		return nil, nil
	}
	lines, err := s.access.Describe(access.Options{Secret: readSecretFile, Logger: log})
	return lines, s.file.place(err)
}

// tryBridge finds what only a bridge finds wrong with its configuration.
func (s *settings) tryBridge(c *cli.Context) error {
	if s.audit.target != "" {
		if err := audit.Check(s.audit.target); err != nil {
			return flagError("audit", err)
		}
	}
	cfg := s.bridge
	if c.Bool("embedded-broker") {
		cfg.Broker = []string{"amqp://127.0.0.1/"}
	}
	if len(cfg.Broker) == 0 {
		return nil // an error in the flags, which is known
	}
	cfg.Logger = slog.New(slog.DiscardHandler)
	b, err := bridge.New(cfg)
	if err != nil {
		return err
	}
	return b.Close()
}

// printFlags prints the flags that differ from their defaults.
func (s *settings) printFlags(stdout io.Writer) {
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	any := false
	for _, f := range s.flags {
		if f.source == "" || f.name == "config" {
			continue
		}
		if !any {
			fmt.Fprintln(stdout, "Settings that are given:")
			any = true
		}
		fmt.Fprintf(table, "  %s\t%s\tby %s\n", f.name, f.shown(), f.source)
	}
	table.Flush()
	if !any {
		fmt.Fprintln(stdout, "All settings have their defaults.")
	}
	fmt.Fprintln(stdout)
}

// printSite prints what is known of the observatory.
func printSite(stdout io.Writer, cfg *site.Config) {
	if cfg.Title != "" {
		fmt.Fprintf(stdout, "The observatory is called %q.\n", cfg.Title)
	}
	described, err := site.Compile(cfg)
	if err != nil {
		return // the bridge has said so
	}
	for _, c := range described.Conditions() {
		wait := ""
		if c.For > 0 {
			wait = fmt.Sprintf(" for %v", c.For)
		}
		fmt.Fprintf(stdout, "  %s: %q if %s%s\n", c.Level, c.Text, c.When, wait)
	}
	for _, b := range cfg.Boards.List {
		fmt.Fprintf(stdout, "  board %s, with %d items\n", b.Name, len(b.Items))
	}
	fmt.Fprintln(stdout)
}

// printDialects prints which paths are served as another system does.
func (s *settings) printDialects(stdout io.Writer) {
	for _, m := range s.bridge.Dialects {
		rooms := ""
		if m.Rooms != strings.TrimSuffix(m.Path, "/") && m.Rooms != m.Path {
			rooms = ", with the rooms of " + m.Rooms
		}
		fmt.Fprintf(stdout, "The path %s speaks %s%s.\n", m.Path, m.Name, rooms)
	}
	if len(s.bridge.Dialects) > 0 {
		fmt.Fprintln(stdout, "Clients of other systems are identified as these do it, not by the section access.")
		fmt.Fprintln(stdout)
	}
}

// printAccess prints who may do what.
func printAccess(stdout io.Writer, described []string, onlyDialect bool) {
	switch {
	case described == nil && onlyDialect:
		fmt.Fprintln(stdout, "All paths are this system's, so clients hear no actors, and send no commands; --admin takes them from everyone who reaches it.")
		return
	case described == nil:
		fmt.Fprintln(stdout, "There is no section access: everyone who can reach the bridge may do everything.")
		return
	}
	fmt.Fprintln(stdout, "Who may do what:")
	for _, line := range described {
		fmt.Fprintln(stdout, "  "+line)
	}
}
