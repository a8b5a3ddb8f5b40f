package cache

import (
	_ "embed"
	"os"
	"path/filepath"
)

//go:embed autobahn.sh
var autobahnScript string

var autobahn = component{
	name: "autobahn",
	make: func(dir string) error {
		python3, err := CLU() // whose environment has pip
		if err != nil {
			return err
		}
		script := filepath.Join(dir, "setup.sh")
		if err := os.WriteFile(script, []byte(autobahnScript), 0o644); err != nil {
			return err
		}
		return run("bash", script, dir, python3)
	},
	stamp: func(string) string { return autobahnScript },
}

// Autobahn returns the path of wstest, the program of Autobahn's TestSuite. It needs Python 2.7, which Debian 11 had last:
// that is unpacked next to it, and nothing is installed. The first call on a machine takes about half a minute.
func Autobahn() (wstest string, err error) {
	dir, err := autobahn.ready()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "wstest"), nil
}
