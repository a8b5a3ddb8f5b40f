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
	program := flag.String("program", "bin/clu-ws", "the `FILE` of the clu-ws to measure")
	only := flag.String("only", "", "the `NAMES` of the servers to measure, separated by commas")
	rounds := flag.Int("rounds", bench.FullPeerSizes().Rounds, "how often all take turns")
	from := flag.String("from", "", "print the run of a `FILE`, instead of another run")
	publish := flag.Bool("publish", false, "write docs/bench-peers.json and .svg and the tables of docs/bench.md, instead of files in .cache/bench")
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 {
		return errors.New("--rounds is at least 1, and there are no arguments but flags; --help lists them")
	}
	report, err := load(*from)
	if *from == "" {
		report, err = measure(ctx, *program, *only, *rounds)
	}
	if err != nil {
		return err
	}
	fmt.Print(report.Markdown())
	if !*publish {
		return save(report, filepath.Join(".cache", "bench", "peers"))
	}
	if err := save(report, filepath.Join("docs", "bench-peers")); err != nil {
		return err
	}
	return replaceTable(report, filepath.Join("docs", "bench.md"))
}

// load reads an earlier run.
func load(file string) (*bench.PeersReport, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	report := &bench.PeersReport{}
	if err := json.Unmarshal(text, report); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return report, nil
}

func measure(ctx context.Context, program, only string, rounds int) (*bench.PeersReport, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cfg := bench.PeersConfig{
		Program: program, Folder: filepath.Join(".cache", "peers"), RabbitMQ: []string{self, "rabbitmq"},
		Sizes: bench.FullPeerSizes(), Progress: os.Stderr,
	}
	cfg.Sizes.Rounds = rounds
	if python, err := cache.CLU(); err == nil {
		cfg.CLU = filepath.Join(filepath.Dir(python), "clu")
	}
	if only != "" {
		cfg.Only = strings.Split(only, ",")
	}
	return bench.Peers(ctx, cfg)
}

// save writes a report as JSON and as a plot.
func save(report *bench.PeersReport, name string) error {
	text, err := json.MarshalIndent(report, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name+".json", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(name+".svg", []byte(report.Plot()), 0o644)
}

// replaceTable replaces the tables of a page.
func replaceTable(report *bench.PeersReport, page string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	replaced, err := report.ReplaceTable(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return os.WriteFile(page, []byte(replaced), 0o644)
}
