package cache

import (
	"path/filepath"
)

// cluRequirement is the CLU that documentation and golden files are recorded from.
const cluRequirement = "sdss-clu[websockets]==2.6.1"

var clu = component{
	name: "venv",
	make: func(dir string) error {
		if err := run("python3", "-m", "venv", dir); err != nil {
			return err
		}
		return pipInstall(python(dir), cluRequirement)
	},
	// An environment contains its own path, and breaks when its Python is replaced.
	stamp: func(dir string) string {
		base, err := filepath.EvalSymlinks(python(dir))
		if err != nil {
			return ""
		}
		return cluRequirement + "\n" + dir + "\n" + base + "\n"
	},
}

// CLU returns the Python interpreter of a virtual environment that has CLU. The first call on a
// machine takes about half a minute.
func CLU() (python3 string, err error) {
	dir, err := clu.ready()
	if err != nil {
		return "", err
	}
	return python(dir), nil
}

func python(venv string) string { return filepath.Join(venv, "bin", "python") }
