package testkit

import (
	"path/filepath"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// Wscat returns the command line of wscat 6.1.0, without arguments. It is installed once per machine, under .cache.
func Wscat(t testing.TB) (command []string) {
	t.Helper()
	need(t, "wscat")
	command, err := cache.Wscat()
	if err != nil {
		Missing(t, "wscat", "cannot install it: "+err.Error())
	}
	return command
}

// NodeWebSocket returns the path of an ES module with a WebSocket for node, which has none before version 22. It comes with
// wscat.
func NodeWebSocket(t testing.TB) (module string) {
	t.Helper()
	wscat := Wscat(t)
	modules := filepath.Join(wscat[len(wscat)-1], "..", "..", "..")
	return filepath.Join(modules, "ws", "wrapper.mjs")
}
