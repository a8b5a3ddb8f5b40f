package cache

import (
	"os"
	"path/filepath"
)

const axeRequirement = "axe-core@4.14.1"

var axe = component{
	name: "npm-axe",
	make: func(dir string) error {
		return run("npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error", axeRequirement)
	},
	stamp: func(string) string { return axeRequirement + "\n" },
}

// Axe returns the source of axe-core, a script that finds what a page lacks in accessibility.
func Axe() (script string, err error) {
	dir, err := axe.ready()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	return string(text), err
}
