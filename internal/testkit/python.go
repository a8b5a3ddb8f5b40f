package testkit

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// Importing CLU takes one to two seconds, and much longer on a busy machine.
const pythonTimeout = 3 * time.Minute

//go:embed actor.py
var actorScript string

//go:embed modelactor.py
var modelActorScript string

//go:embed websocket.py
var websocketScript string

// Python is a virtual environment that has CLU.
type Python struct {
	Path string // the interpreter
}

// CLU returns an environment with CLU 2.6.1, which is made once per machine, under .cache.
func CLU(t testing.TB) *Python {
	t.Helper()
	need(t, "CLU")
	path, err := cache.CLU()
	if err != nil {
		Missing(t, "CLU", "cannot make its virtual environment: "+err.Error())
	}
	return &Python{Path: path}
}

// StartActor starts a CLU actor, version 1.2.3, and returns once it takes commands. In addition to CLU's own commands it
// has status, odd, empty, fail, slow, burst and broadcast: see actor.py.
func (p *Python) StartActor(t testing.TB, amqpURL, name string) *Process {
	t.Helper()
	return p.startReady(t, actorScript, amqpURL, name)
}

// StartModelActor starts a CLU actor with a schema and with commands of all kinds, whose model was recorded: see
// modelactor.py. If it is changed, it has the command shift instead of move, and one more keyword.
func (p *Python) StartModelActor(t testing.TB, amqpURL, name string, changed bool) *Process {
	t.Helper()
	args := []string{amqpURL, name}
	if changed {
		args = append(args, "changed")
	}
	return p.startReady(t, modelActorScript, args...)
}

// StartWebSocketServer starts CLU's WebSocket server on 127.0.0.1 and returns once it accepts connections.
func (p *Python) StartWebSocketServer(t testing.TB, port int, amqpURL string) *Process {
	t.Helper()
	return p.startReady(t, websocketScript, amqpURL, strconv.Itoa(port))
}

// startReady starts a script and returns once it has written "ready".
func (p *Python) startReady(t testing.TB, script string, args ...string) *Process {
	t.Helper()
	process := StartProcess(t, p.Command(t, script, args...))
	process.Output.WaitFor(t, pythonTimeout, "ready")
	return process
}

// Run runs a script to its end and returns its standard output. If the script fails, the test fails with its standard
// error.
func (p *Python) Run(t testing.TB, script string, args ...string) string {
	t.Helper()
	out, err := p.Command(t, script, args...).Output()
	if err != nil {
		var stderr []byte
		if exit, ok := err.(*exec.ExitError); ok {
			stderr = exit.Stderr
		}
		t.Fatalf("the Python script failed: %v\n%s%s", err, out, stderr)
	}
	return string(out)
}

// Command prepares to run a script, which is given as text. Its home directory is a temporary folder of the test, because
// CLU writes log files there.
func (p *Python) Command(t testing.TB, script string, args ...string) *exec.Cmd {
	t.Helper()
	home := t.TempDir()
	file := filepath.Join(home, "script.py")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), p.Path, append([]string{file}, args...)...)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "PYTHONUNBUFFERED=1")
	return cmd
}
