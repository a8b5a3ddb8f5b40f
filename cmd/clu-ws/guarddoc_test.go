package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// guardScript returns the script of docs/clients.md that closes the dome, with a short wait for the weather, and a folder
// for PATH in which clu-ws is this test binary.
func guardScript(t *testing.T) (script, path string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindSubmatch(text)
	if block == nil || !bytes.Contains(block[1], []byte("--timeout 50s")) {
		t.Fatal("docs/clients.md has no script that waits for 50 s")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path = t.TempDir()
	program := fmt.Sprintf("#!/bin/sh\n%s=yes exec '%s' \"$@\"\n", runAsProgramEnv, self)
	if err := os.WriteFile(filepath.Join(path, "clu-ws"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	script = strings.Replace(string(block[1]), "--timeout 50s", "--timeout 6s", 1)
	return strings.Replace(script, "--timeout 10s 2>/dev/null", "--timeout 10s", 1), path // what goes wrong is to be seen here
}

func TestTheGuardOfTheDocumentationClosesTheDomeAndSaysWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	script, path := guardScript(t)
	guard := func(address string, code int, said string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script)
		cmd.Env = append(os.Environ(), "PATH="+path+":"+os.Getenv("PATH"), "CLU_WS_BRIDGE=ws://"+address)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
			t.Fatal(err)
		}
		if got := cmd.ProcessState.ExitCode(); got != code || !strings.HasPrefix(strings.TrimSpace(stdout.String()), said) || said == "" && stdout.Len() > 0 {
			t.Errorf("it exits with %d and says %q, want %d and %q; it notes\n%s", got, &stdout, code, said, &stderr)
		}
	}
	address := startDemo(t, "--dome-guard=false")
	shutter := func() string {
		t.Helper()
		return strings.TrimSpace(wantExit(t, address, 0, "", "send", "dome", "status", "--quiet", "--get", "dome_shutter"))
	}
	wantExit(t, address, 0, "", "send", "weather", "simulate", "clear")
	wantExit(t, address, 0, "", "send", "dome", "open")
	guard(address, 0, "")
	if got := shutter(); got != "open" {
		t.Errorf("while the weather is safe, the dome becomes %s", got)
	}
	wantExit(t, address, 0, "", "send", "weather", "simulate", "storm")
	guard(address, 0, "guard: the weather is not safe: the dome is closed")
	if got := shutter(); got != "closed" {
		t.Errorf("in the storm, the dome is %s", got)
	}
	guard(address, 0, "")

	deaf := start(t, "websocket", "--host", "127.0.0.1", "--port", "0", "--embedded-broker", "--rabbitmq-port", freePort(t)).address(t)
	guard(deaf, 6, "guard: it is not known whether the weather is safe")
	guard("127.0.0.1:1", 3, "guard: nothing is watched: clu-ws: there is no bridge at ")
}
