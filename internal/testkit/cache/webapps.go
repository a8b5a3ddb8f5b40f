package cache

import (
	"path/filepath"
	"strings"
)

// webAppsRequirements are the frameworks that observatories write their login pages with, and a server for both.
var webAppsRequirements = []string{"fastapi==0.165.0", "Django==5.2.19", "uvicorn==0.54.0"}

var webApps = component{
	name: "webapps",
	make: func(dir string) error {
		python3, err := CLU()
		if err != nil {
			return err
		}
		return pipInstall(python3, append([]string{"--target", dir}, webAppsRequirements...)...)
	},
	stamp: func(dir string) string {
		return clu.stamp(filepath.Join(filepath.Dir(dir), clu.name)) + strings.Join(webAppsRequirements, "\n") + "\n"
	},
}

// WebApps returns the folder that the interpreter of [CLU] finds FastAPI, Django and uvicorn in, if PYTHONPATH names
// it. The first call on a machine takes some seconds.
func WebApps() (folder string, err error) { return webApps.ready() }
