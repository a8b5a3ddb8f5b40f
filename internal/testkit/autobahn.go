package testkit

import (
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// Autobahn returns the path of wstest, the program of Autobahn's TestSuite, by which WebSocket libraries measure
// themselves. It is set up once per machine, under .cache.
func Autobahn(t testing.TB) (wstest string) {
	t.Helper()
	need(t, "Autobahn")
	wstest, err := cache.Autobahn()
	if err != nil {
		Missing(t, "Autobahn", "cannot set it up: "+err.Error())
	}
	return wstest
}
