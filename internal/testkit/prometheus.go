package testkit

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// Promtool runs promtool, and returns what it writes.
func Promtool(t testing.TB, input string, args ...string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(prometheusFolder(t), "promtool"), args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Prometheus returns the path of the program prometheus.
func Prometheus(t testing.TB) string {
	t.Helper()
	return filepath.Join(prometheusFolder(t), "prometheus")
}

func prometheusFolder(t testing.TB) string {
	t.Helper()
	need(t, "Prometheus")
	folder, err := cache.Prometheus()
	if err != nil {
		Missing(t, "Prometheus", "install Debian's package prometheus, which has promtool, too: "+err.Error())
	}
	return folder
}
