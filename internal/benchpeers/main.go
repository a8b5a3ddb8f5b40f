package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/clu-ws/clu-ws/bench"
	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) == 4 && os.Args[1] == "rabbitmq" {
		err = rabbitMQ(ctx, os.Args[2], os.Args[3])
	} else {
		err = run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var m measurement
	flag.StringVar(&m.program, "program", "bin/clu-ws", "the `FILE` of the clu-ws to measure")
	flag.StringVar(&m.only, "only", "", "the `NAMES` of the servers to measure, separated by commas")
	flag.IntVar(&m.rounds, "rounds", 0, "how often all take turns; 0 is as often as for the published figures")
	flag.StringVar(&m.from, "from", "", "print the run of a `FILE`, instead of another run")
	flag.BoolVar(&m.publish, "publish", false, "write the figures and the plot in docs and the tables of docs/bench.md, instead of files in .cache/bench")
	dialects := flag.Bool("dialects", false, "measure the systems whose dialects the bridge speaks, and the bridge in their place")
	flag.Parse()
	if flag.NArg() > 0 || m.rounds < 0 {
		return errors.New("--rounds is at least 1, and there are no arguments but flags; --help lists them")
	}
	if *dialects {
		return m.dialects(ctx)
	}
	return m.peers(ctx)
}

// measurement is what the flags ask for.
type measurement struct {
	program, only, from string
	rounds              int
	publish             bool
}

// peers measures the bridge beside other servers.
func (m measurement) peers(ctx context.Context) error {
	report, err := measured(ctx, m, m.peersConfig, bench.Peers)
	if err != nil {
		return err
	}
	if err := m.save("peers", report, report.Markdown(), report.ReplaceTable); err != nil {
		return err
	}
	return os.WriteFile(m.file("peers.svg"), []byte(report.Plot()), 0o644)
}

// dialects measures the bridge in the place of other systems.
func (m measurement) dialects(ctx context.Context) error {
	if m.only != "" {
		return errors.New("--only is not for --dialects: all of its servers are measured")
	}
	report, err := measured(ctx, m, m.dialectsConfig, bench.Dialects)
	if err != nil {
		return err
	}
	return m.save("dialects", report, report.Markdown(), report.ReplaceTable)
}

// measured runs a measurement, or reads an earlier one.
func measured[T any](ctx context.Context, m measurement, config func() (bench.PeersConfig, error), run func(context.Context, bench.PeersConfig) (*T, error)) (*T, error) {
	if m.from == "" {
		cfg, err := config()
		if err != nil {
			return nil, err
		}
		return run(ctx, cfg)
	}
	text, err := os.ReadFile(m.from)
	if err != nil {
		return nil, err
	}
	report := new(T)
	if err := json.Unmarshal(text, report); err != nil {
		return nil, fmt.Errorf("%s: %w", m.from, err)
	}
	return report, nil
}

// config returns the part of a configuration that all runs have.
func (m measurement) config(sizes bench.PeerSizes) bench.PeersConfig {
	if m.rounds > 0 {
		sizes.Rounds = m.rounds
	}
	return bench.PeersConfig{Program: m.program, Sizes: sizes, Progress: os.Stderr}
}

// dialectsConfig returns the configuration of a run of [bench.Dialects].
func (m measurement) dialectsConfig() (cfg bench.PeersConfig, err error) {
	cfg = m.config(bench.FullDialectSizes())
	if cfg.Python, err = cache.CLU(); err != nil {
		return cfg, err
	}
	if cfg.SocketShark, err = cache.SocketShark(); err != nil {
		return cfg, err
	}
	cfg.Versions = []string{"SocketShark 0.5.0"}
	return cfg, nil
}

// peersConfig returns the configuration of a run of [bench.Peers].
func (m measurement) peersConfig() (cfg bench.PeersConfig, err error) {
	self, err := os.Executable()
	if err != nil {
		return cfg, err
	}
	cfg = m.config(bench.FullPeerSizes())
	cfg.Folder, cfg.RabbitMQ = filepath.Join(".cache", "peers"), []string{self, "rabbitmq"}
	if python, err := cache.CLU(); err == nil {
		cfg.CLU = filepath.Join(filepath.Dir(python), "clu")
		cfg.Versions = append(cfg.Versions, "CLU 2.6.1")
	}
	if newest, err := cache.NewestRabbitMQ(); err == nil {
		cfg.Versions = append(cfg.Versions, "RabbitMQ "+newest.Version)
	}
	cfg.Versions = append(cfg.Versions, versions(cfg.Folder)...)
	if m.only != "" {
		cfg.Only = strings.Split(m.only, ",")
	}
	return cfg, nil
}

// versions returns what scripts/setup-peers.sh has set up, a line of each file for each server.
func versions(folder string) (all []string) {
	files, _ := filepath.Glob(filepath.Join(folder, "*.version"))
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			all = append(all, strings.Split(strings.TrimSpace(string(text)), "\n")...)
		}
	}
	return all
}

// save prints a report, and writes it as JSON. To publish it replaces the tables of the page, too.
func (m measurement) save(name string, report any, tables string, replace func(page string) (string, error)) error {
	fmt.Print(tables)
	text, err := json.MarshalIndent(report, "", "\t")
	if err != nil {
		return err
	}
	file := m.file(name + ".json")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil || !m.publish {
		return err
	}
	page := filepath.Join("docs", "bench.md")
	before, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	after, err := replace(string(before))
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return os.WriteFile(page, []byte(after), 0o644)
}

// file returns where a file of the result is.
func (m measurement) file(name string) string {
	if m.publish {
		return filepath.Join("docs", "bench-"+name)
	}
	return filepath.Join(".cache", "bench", name)
}
