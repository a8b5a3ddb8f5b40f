package cache

import "path/filepath"

const wscatRequirement = "wscat@6.1.0"

var wscat = component{
	name: "npm",
	make: func(dir string) error {
		return run("npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error", wscatRequirement)
	},
	stamp: func(string) string { return wscatRequirement + "\n" },
}

// Wscat returns the command line of wscat, a WebSocket client for terminals.
func Wscat() (command []string, err error) {
	dir, err := wscat.ready()
	if err != nil {
		return nil, err
	}
	return []string{"node", filepath.Join(dir, "node_modules", "wscat", "bin", "wscat")}, nil
}
