package webdemo

import (
	"io/fs"
	"strings"
)

// clientModule returns the relative URL of the client's module for an address in the root folder: /clu.js, where pages
// import the client, and /clu-NAME.js, where its other modules were before they had a folder of their own. A module
// that re-exports another keeps its classes the same ones, whichever address a page imports.
func clientModule(path string) (target string, ok bool) {
	name, ok := strings.CutSuffix(path, ".js")
	if !ok {
		return "", false
	}
	switch {
	case name == "/clu":
		return "./client/clu.js", true
	case name == "/clu-record": // an earlier name of that module
		return "./client/received.js", true
	}
	name, ok = strings.CutPrefix(name, "/clu-")
	if !ok || strings.Contains(name, "/") {
		return "", false
	}
	if _, err := fs.Stat(files, "client/"+name+".js"); err != nil {
		return "", false
	}
	return "./client/" + name + ".js", true
}
