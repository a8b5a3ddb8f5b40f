package cache

import (
	"embed"
	"os"
	"path"
	"path/filepath"
)

//go:embed npm
var npmLocks embed.FS

// The packages are pinned by lockfiles: what a browser or a type checker says may change with any of them.
var (
	npmApps     = lockedPackages("apps")
	npmRuntimes = lockedPackages("runtimes")
)

// lockedPackages is the component of what a lockfile in the folder npm lists.
func lockedPackages(name string) component {
	read := func(file string) string {
		text, err := npmLocks.ReadFile(path.Join("npm", name, file))
		if err != nil {
			panic("cache: " + err.Error()) // it is embedded
		}
		return string(text)
	}
	files := []string{"package.json", "package-lock.json"}
	return component{
		name: "npm-" + name,
		make: func(dir string) error {
			for _, file := range files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(read(file)), 0o644); err != nil {
					return err
				}
			}
			return run("npm", "ci", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error")
		},
		stamp: func(string) string { return read("package-lock.json") },
	}
}

// NPMApps returns the folder node_modules with what web applications are made with: Vite, React, Vue, TypeScript and ws.
func NPMApps() (folder string, err error) { return nodeModules(npmApps) }

// NPMRuntimes returns the folder node_modules with Deno and Bun.
func NPMRuntimes() (folder string, err error) { return nodeModules(npmRuntimes) }

func nodeModules(c component) (string, error) {
	dir, err := c.ready()
	return filepath.Join(dir, "node_modules"), err
}
