package cache

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed prometheus.sh
var prometheusScript string

var prometheus = component{
	name: "prometheus",
	make: func(dir string) error {
		script := filepath.Join(dir, "setup.sh")
		if err := os.WriteFile(script, []byte(prometheusScript), 0o644); err != nil {
			return err
		}
		return run("bash", script, dir)
	},
	stamp: func(string) string { return prometheusScript },
}

// Prometheus returns the folder that has the programs prometheus and promtool: where they are installed, or below
// .cache. The first call on a machine takes some seconds.
func Prometheus() (folder string, err error) {
	if tool, err := exec.LookPath("promtool"); err == nil {
		if _, err := exec.LookPath(filepath.Join(filepath.Dir(tool), "prometheus")); err == nil {
			return filepath.Dir(tool), nil
		}
	}
	return prometheus.ready()
}
