package webdemo_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/demo"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The npm package is packed, installed and used as by people who have never seen this repository.

// startDemo starts an observatory with the demo's actors, in which nothing happens by itself.
func startDemo(t *testing.T) *observatory {
	t.Helper()
	o := startObservatory(t)
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- demo.Run(ctx, demo.Config{URL: o.url, Logger: slog.New(slog.DiscardHandler), Ready: func() { close(ready) }})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	testkit.Await(t, ready)
	return o
}

// packed packs the npm package, and returns the archive.
func packed(t *testing.T) (archive string) {
	t.Helper()
	testkit.NodeJS(t)
	dir := t.TempDir()
	run(t, "client", "npm", "pack", "--silent", "--pack-destination", dir)
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		t.Fatalf("npm pack made %v, %v", found, err)
	}
	return found[0]
}

// run runs a program in a folder, and returns what it writes to standard output.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	stdout, stderr, err := tryRun(t, dir, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, stdout, stderr)
	}
	return stdout
}

// tryRun is run for a program that may fail.
func tryRun(t *testing.T, dir, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var out, errors bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errors
	// No test may ask a registry, or find packages of the machine.
	cmd.Env = append(os.Environ(), "npm_config_offline=true", "npm_config_update_notifier=false", "NO_COLOR=1", "NODE_PATH=")
	err = cmd.Run()
	return out.String(), errors.String(), err
}

// exitStatus returns the status with which a program has ended.
func exitStatus(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	ended, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatal(err)
	}
	return ended.ExitCode()
}

// copyFile copies a file.
func copyFile(t *testing.T, to, from string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
