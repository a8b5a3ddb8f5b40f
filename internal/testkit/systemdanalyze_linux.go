package testkit

import (
	"os/exec"
	"testing"
)

// SystemdAnalyze runs systemd-analyze in a folder with unit files, and returns what it prints. No systemd needs to run.
func SystemdAnalyze(t testing.TB, units map[string]string, args ...string) (string, error) {
	t.Helper()
	need(t, "systemd")
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		Missing(t, "systemd", "run scripts/setup-test.sh, or install the package systemd")
	}
	dir := t.TempDir()
	writeFiles(t, dir, units)
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}
