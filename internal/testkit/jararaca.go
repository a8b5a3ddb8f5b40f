package testkit

import (
	_ "embed"
	"strconv"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

//go:embed chat_jararaca.py
var jararacaScript string

// JararacaCommand returns the command that starts an application of Jararaca, without its arguments.
func JararacaCommand() ([]string, error) {
	python3, err := cache.Jararaca()
	return []string{python3, "-c", jararacaScript}, err
}

// StartJararaca starts an application of Jararaca on 127.0.0.1, whose instances share two channels of Redis, and
// returns its address: see chat_jararaca.py.
func StartJararaca(t testing.TB, redisURL, broadcast, send string) (addr string) {
	t.Helper()
	need(t, "Jararaca")
	path, err := cache.Jararaca()
	if err != nil {
		Missing(t, "Jararaca", "cannot make its virtual environment: "+err.Error())
	}
	port := strconv.Itoa(FreePort(t))
	(&Python{Path: path}).startReady(t, jararacaScript, port, redisURL, broadcast, send)
	return "127.0.0.1:" + port
}
