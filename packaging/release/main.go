package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	root := flag.String("root", "..", "the folder of the repository")
	out := flag.String("out", "../dist", "the folder that is written; what it had is removed")
	targets := flag.String("targets", "linux/amd64 linux/arm64 darwin/amd64 darwin/arm64", "the systems, as GOOS/GOARCH")
	release := flag.Bool("release", false, "fail unless the commit has the tag of its version and nothing is changed")
	flag.Parse()
	if err := run(*root, *out, strings.Fields(*targets), *release); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// run makes a release in the folder out.
func run(root, out string, targets []string, mustBeTagged bool) error {
	s, err := readSource(root)
	if err != nil {
		return err
	}
	if mustBeTagged && s.snapshot != "" {
		return fmt.Errorf("this is not the release %s: set the tag v%s at a commit without changes, or leave out RELEASE=1", s.version, s.version)
	}
	work, err := os.MkdirTemp("", "clu-ws-release")
	if err != nil {
		return err
	}
	b := &builder{source: s, work: work}
	return errors.Join(b.release(out, targets), os.RemoveAll(work))
}

// release builds everything, and writes it to the folder out.
func (b *builder) release(out string, targets []string) error {
	if err := replaceFolder(out); err != nil {
		return err
	}
	if err := b.writeGenerated(); err != nil {
		return err
	}
	var images []binary
	for _, target := range targets {
		bin, err := b.build(target)
		if err != nil {
			return err
		}
		fmt.Println("built", target)
		for _, write := range []func(string, binary) error{b.writeArchive, b.writePackages, b.writeBill} {
			if err := write(out, bin); err != nil {
				return fmt.Errorf("%s: %w", target, err)
			}
		}
		if bin.system == "linux" {
			images = append(images, bin)
		}
	}
	if len(images) > 0 {
		if err := b.writeImage(filepath.Join(out, b.fileName("oci.tar")), images); err != nil {
			return fmt.Errorf("image: %w", err)
		}
	}
	return writeChecksums(out)
}

// marker is in a folder that a release wrote: only such a folder is removed.
const marker = "SHA256SUMS"

// replaceFolder makes an empty folder, in place of that of an earlier release.
func replaceFolder(out string) error {
	entries, err := os.ReadDir(out)
	if err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(out, marker)); err != nil {
			return fmt.Errorf("%s has files, but no %s: it is not a release's, so remove it yourself or choose another folder", out, marker)
		}
		if err := os.RemoveAll(out); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	// A release that fails can be repeated.
	return os.WriteFile(filepath.Join(out, marker), nil, 0o644)
}
