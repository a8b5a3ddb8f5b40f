package cache

import (
	"path/filepath"
	"strings"
)

// wheelsRequirements are what the Python client needs, to be built, used, tested and checked.
var wheelsRequirements = append([]string{"websockets==17.4", "mypy==2.4.1", "setuptools==84.2.1"}, pytestRequirements...)

var wheels = component{
	name: "wheels",
	make: func(dir string) error {
		python3, err := CLU()
		if err != nil {
			return err
		}
		return run(python3, append([]string{"-m", "pip", "download", "--quiet", "--disable-pip-version-check",
			"--no-input", "--retries", "2", "--timeout", "20", "--dest", dir}, wheelsRequirements...)...)
	},
	stamp: func(dir string) string {
		return clu.stamp(filepath.Join(filepath.Dir(dir), clu.name)) + strings.Join(wheelsRequirements, "\n") + "\n"
	},
}

// Wheels returns a folder from which pip installs the Python client and its tools without a network. The first call on a
// machine takes some seconds.
func Wheels() (folder string, err error) { return wheels.ready() }
