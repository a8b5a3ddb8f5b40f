package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// source is what is built: the repository at a commit.
type source struct {
	root    string
	version string // of the program in the tree, such as 1.2.3
	commit  string
	date    time.Time // of the commit
	// snapshot tells what is not a release from it, and sorts before it; "" is a release.
	snapshot string
}

var releaseVersion = regexp.MustCompile(`(?m)^const releaseVersion = "(\d+\.\d+\.\d+)"$`)

// readSource reads what git and the program say of the repository.
func readSource(root string) (s source, err error) {
	if s.root, err = filepath.Abs(root); err != nil {
		return s, err
	}
	file := filepath.Join(s.root, "cmd", "clu-ws", "version.go")
	text, err := os.ReadFile(file)
	if err != nil {
		return s, err
	}
	found := releaseVersion.FindSubmatch(text)
	if found == nil {
		return s, fmt.Errorf("%s has no line const releaseVersion = \"1.2.3\"", file)
	}
	s.version = string(found[1])
	if s.commit, err = s.git("rev-parse", "HEAD"); err != nil {
		return s, err
	}
	when, err := s.git("show", "-s", "--format=%cI", "HEAD")
	if err != nil {
		return s, err
	}
	if s.date, err = time.Parse(time.RFC3339, when); err != nil {
		return s, err
	}
	s.date = s.date.UTC()
	tags, err := s.git("tag", "--points-at", "HEAD")
	if err != nil {
		return s, err
	}
	changes, err := s.git("status", "--porcelain")
	if err != nil {
		return s, err
	}
	s.snapshot = snapshot(s, strings.Fields(tags), changes != "")
	return s, nil
}

// snapshot returns how a build that is not a release is called.
func snapshot(s source, tags []string, changed bool) string {
	for _, tag := range tags {
		if tag == "v"+s.version && !changed {
			return ""
		}
	}
	name := "dev." + s.date.Format("20060102150405") + "." + s.commit[:8]
	if changed {
		name += ".changed"
	}
	return name
}

func (s source) git(args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-C", s.root}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("a release is built from a clone of the repository, and git %s says: %s (%w)", args[0], strings.TrimSpace(string(out)), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// fullVersion returns the version of what is built. That of a snapshot is lower than the
// release's, as dpkg and rpm order versions.
func (s source) fullVersion() string {
	if s.snapshot == "" {
		return s.version
	}
	return s.version + "~" + s.snapshot
}

// fileName returns the name of a file of the release that ends so.
func (s source) fileName(end string) string { return "clu-ws_" + s.fullVersion() + "_" + end }
