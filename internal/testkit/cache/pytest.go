package cache

import (
	"path/filepath"
	"strings"
)

// pytestRequirements are kept apart from CLU's environment, which stays as CLU's users have it.
var pytestRequirements = []string{"pytest==9.2.0", "pytest-asyncio==1.5.0"}

var pytest = component{
	name: "pytest",
	make: func(dir string) error {
		python3, err := CLU()
		if err != nil {
			return err
		}
		return pipInstall(python3, append([]string{"--target", dir}, pytestRequirements...)...)
	},
	stamp: func(dir string) string {
		return clu.stamp(filepath.Join(filepath.Dir(dir), clu.name)) + strings.Join(pytestRequirements, "\n") + "\n"
	},
}

// Pytest returns the folder that the interpreter of [CLU] finds pytest in, if PYTHONPATH names it. The first call on a
// machine takes some seconds.
func Pytest() (folder string, err error) { return pytest.ready() }
