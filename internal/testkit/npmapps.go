package testkit

import (
	"path/filepath"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// NPMApps returns a folder node_modules with Vite, React, Vue, TypeScript and ws, for projects to link to. It is
// installed once per machine, under .cache.
func NPMApps(t testing.TB) (folder string) {
	t.Helper()
	need(t, "Vite, React and Vue")
	folder, err := cache.NPMApps()
	if err != nil {
		Missing(t, "Vite, React and Vue", "cannot install them: "+err.Error())
	}
	return folder
}

// NPMRuntime returns the path of deno or bun, which are installed in the same way.
func NPMRuntime(t testing.TB, name string) (path string) {
	t.Helper()
	need(t, "Deno and Bun")
	folder, err := cache.NPMRuntimes()
	if err != nil {
		Missing(t, "Deno and Bun", "cannot install them: "+err.Error())
	}
	return filepath.Join(folder, ".bin", name)
}
