package cache

import "path/filepath"

const typescriptRequirement = "typescript@7.0.2"

var typescript = component{
	name: "npm-typescript",
	make: func(dir string) error {
		return run("npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error", typescriptRequirement)
	},
	stamp: func(string) string { return typescriptRequirement + "\n" },
}

// TypeScript returns the path of tsc, the compiler that checks types.
func TypeScript() (tsc string, err error) {
	dir, err := typescript.ready()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "node_modules", ".bin", "tsc"), nil
}
