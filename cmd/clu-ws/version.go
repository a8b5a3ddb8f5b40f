package main

import (
	"runtime/debug"
	"strings"
)

// releaseVersion is the version of the program in this tree.
const releaseVersion = "0.1.0"

// commit and date are set when a release is built (-ldflags -X), because Go itself records
// neither in a work tree of git.
var commit, date string

// version returns the release and, if the build recorded them, the commit and its date.
func version() string {
	built := struct{ commit, date, modified string }{commit: commit, date: date}
	if info, ok := debug.ReadBuildInfo(); ok && built.commit == "" {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				built.commit = s.Value
			case "vcs.time":
				built.date = s.Value
			case "vcs.modified":
				if s.Value == "true" {
					built.modified = "+changes"
				}
			}
		}
	}
	built.commit = built.commit[:min(12, len(built.commit))]
	if built.commit == "" {
		built.commit = moduleVersion(debug.ReadBuildInfo())
	}
	return strings.Join(strings.Fields(releaseVersion+" "+built.commit+built.modified+" "+built.date), " ")
}

// moduleVersion returns the version that go install built, which names the commit if it is between releases; "" if it says
// no more than the release does.
func moduleVersion(info *debug.BuildInfo, ok bool) string {
	if !ok || info.Main.Version == "(devel)" || info.Main.Version == "v"+releaseVersion {
		return ""
	}
	return info.Main.Version
}
