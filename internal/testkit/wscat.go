package testkit

import (
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
