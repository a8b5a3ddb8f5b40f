package testkit

import (
	_ "embed"
	"strconv"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

//go:embed hightemplar.py
var highTemplarScript string

// HighTemplarCommand returns the command that starts High-templar, without its arguments.
func HighTemplarCommand() ([]string, error) {
	modules, err := cache.HighTemplar()
	if err != nil {
		return nil, err
	}
	python3, err := cache.CLU()
	return []string{"env", "PYTHONPATH=" + modules, python3, "-c", highTemplarScript}, err
}

// StartHighTemplar starts High-templar on 127.0.0.1 with the URL of a backend's API and the host and port of a broker, and
// returns its address. It notifies the backend of its clients, if it should, as its own install/serve.py does.
func StartHighTemplar(t testing.TB, api, broker string, notifies bool) (addr string) {
	t.Helper()
	need(t, "High-templar")
	modules, err := cache.HighTemplar()
	if err != nil {
		Missing(t, "High-templar", "cannot install it: "+err.Error())
	}
	addr = "127.0.0.1:" + strconv.Itoa(FreePort(t))
	args := []string{addr, api, broker}
	if notifies {
		args = append(args, "notifies")
	}
	cmd := CLU(t).Command(t, highTemplarScript, args...)
	cmd.Env = append(cmd.Env, "PYTHONPATH="+modules)
	StartProcess(t, cmd).Output.WaitFor(t, pythonTimeout, "Running on")
	return addr
}
