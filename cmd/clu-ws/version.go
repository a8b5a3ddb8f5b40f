package main

import (
	"runtime/debug"
	"strings"
)

// releaseVersion is the version of the program in this tree.
const releaseVersion = "0.1.0"

// version returns the release and, if the build recorded it, the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return releaseVersion
	}
	var revision, modified string
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			if s.Value == "true" {
				modified = "+changes"
			}
		}
	}
	return strings.TrimSpace(strings.Join([]string{releaseVersion, revision + modified}, " "))
}
