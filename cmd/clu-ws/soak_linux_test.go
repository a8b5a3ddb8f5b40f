package main

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/internal/wsdriver"
	"github.com/clu-ws/clu-ws/soak"
)

// The flags of make soak.
var (
	soakFor     = flag.Duration("soak.for", 0, "soak for this `TIME`, with all faults")
	soakSeed    = flag.Uint64("soak.seed", 1, "the `SEED` of the faults")
	soakWithout = flag.String("soak.without", "", "leave out these `FAULTS`, separated by commas")
	soakReport  = flag.String("soak.report", "", "the `FILE` of the report")
)

// Everything fails at random, and nothing is lost: for a short while, with the faults that are soon over, or by make soak for
// as long as it says.
func TestSoak(t *testing.T) {
	t.Parallel()
	cfg := soak.Config{
		For: *soakFor, Seed: *soakSeed, Report: *soakReport, Out: os.Stdout,
		Program: func(args ...string) *exec.Cmd { return command(t, args...) }, Clients: soakClients(t),
	}
	if *soakWithout != "" {
		cfg.Without = strings.Split(*soakWithout, ",")
	}
	if cfg.For == 0 {
		cfg.For, cfg.Out = time.Hour, t.Output()
		cfg.Only = []string{
			"bridge: upgrade", "bridge: kill", "bridge: reload", "link: cut", "client: cut", "client: half open", "others: flood", "broker: connections closed",
		}
	}
	soak.Run(t, cfg)
}

// soakClients starts a client of each language. Its process is out of the reach of the terminal's Ctrl-C, which ends the run.
func soakClients(t *testing.T) map[string]*conformance.Driver {
	t.Helper()
	python := testkit.CLU(t).Path
	clients := map[string]*conformance.Driver{}
	for name, argv := range map[string][]string{
		"clujs":  {"setsid", "env", "CLU_WS_TEST_WEBSOCKET=" + testkit.NodeWebSocket(t), testkit.NodeJS(t), "../../web-demo/client/tests/driver.js"},
		"python": {"setsid", "env", "PYTHONPATH=" + pythonPath(t), python, "-B", "-W", "error", "../../clients/python/tests/driver.py"},
	} {
		d, err := conformance.Process(context.WithoutCancel(t.Context()), argv...)
		if err != nil {
			t.Fatal(err)
		}
		clients[name] = d
	}
	d, err := conformance.InProcess(wsdriver.Run)
	if err != nil {
		t.Fatal(err)
	}
	clients["wsclient"] = d
	return clients
}

// pythonPath returns the folders of the client for Python and of the metadata that it has once it is installed.
func pythonPath(t *testing.T) string {
	t.Helper()
	installed := t.TempDir()
	info := filepath.Join(installed, "clu_ws-0.dist-info")
	err := os.Mkdir(info, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(info, "METADATA"), []byte("Metadata-Version: 2.1\nName: clu-ws\nVersion: 0\n"), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "../../clients/python/src:" + installed
}
