package testkit

import (
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// TypeScript returns the path of tsc, which needs [NodeJS]. It is installed once per machine, under .cache.
func TypeScript(t testing.TB) (tsc string) {
	t.Helper()
	NodeJS(t)
	need(t, "TypeScript")
	tsc, err := cache.TypeScript()
	if err != nil {
		Missing(t, "TypeScript", "cannot install it: "+err.Error())
	}
	return tsc
}
