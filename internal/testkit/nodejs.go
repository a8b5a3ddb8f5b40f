package testkit

import (
	"os/exec"
	"testing"
)

// NodeJS returns the path of node, which runs JavaScript.
func NodeJS(t testing.TB) (path string) {
	t.Helper()
	need(t, "node")
	path, err := exec.LookPath("node")
	if err != nil {
		Missing(t, "node", "run scripts/setup-test.sh, or install nodejs")
	}
	return path
}
