package testkit

import (
	_ "embed"
	"fmt"
	"strconv"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

//go:embed login_fastapi.py
var loginFastAPI string

//go:embed login_django.py
var loginDjango string

// LoginFastAPI starts a login service with tickets, written in FastAPI, and returns its URL: see login_fastapi.py.
func LoginFastAPI(t testing.TB) (url string, p *Process) {
	t.Helper()
	return startLogin(t, loginFastAPI)
}

// LoginDjango starts a site with sessions, written in Django, and returns its URL: see login_django.py.
func LoginDjango(t testing.TB) (url string, p *Process) {
	t.Helper()
	return startLogin(t, loginDjango)
}

func startLogin(t testing.TB, script string) (url string, p *Process) {
	t.Helper()
	need(t, "FastAPI and Django")
	modules, err := cache.WebApps()
	if err != nil {
		Missing(t, "FastAPI and Django", "cannot install them: "+err.Error())
	}
	port := FreePort(t)
	cmd := CLU(t).Command(t, script, strconv.Itoa(port))
	cmd.Env = append(cmd.Env, "PYTHONPATH="+modules)
	p = StartProcess(t, cmd)
	p.Output.WaitFor(t, pythonTimeout, "ready")
	return fmt.Sprintf("http://127.0.0.1:%d", port), p
}
