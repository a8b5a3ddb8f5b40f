package cache

import (
	"path/filepath"
	"strings"
)

// baseplateRequirements are what baseplate's signer imports. All else that baseplate depends on, such as exporters of
// traces, takes a minute to install and a C compiler.
var baseplateRequirements = []string{"baseplate==2.7.1", "gevent==26.9.0", "greenlet==3.5.6", "setuptools==65.5.0", "zope.event==6.2", "zope.interface==8.7"}

var baseplate = component{
	name: "baseplate",
	make: func(dir string) error {
		python3, err := CLU()
		if err != nil {
			return err
		}
		return pipInstall(python3, append([]string{"--no-deps", "--only-binary", ":all:", "--target", dir}, baseplateRequirements...)...)
	},
	stamp: func(dir string) string {
		return clu.stamp(filepath.Join(filepath.Dir(dir), clu.name)) + strings.Join(baseplateRequirements, "\n") + "\n"
	},
}

// Baseplate returns the folder that the interpreter of [CLU] finds baseplate in, if PYTHONPATH names it. The first call
// on a machine takes some seconds.
func Baseplate() (folder string, err error) { return baseplate.ready() }
