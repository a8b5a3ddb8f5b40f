package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// made is a release of this machine's system, which the tests share.
var made struct {
	builder
	out   string
	files []string
}

func TestMain(m *testing.M) {
	code, err := func() (int, error) {
		folder, err := os.MkdirTemp("", "clu-ws-release-test")
		if err != nil {
			return 1, err
		}
		defer os.RemoveAll(folder)
		if err := makeRelease(folder); err != nil {
			return 1, err
		}
		return m.Run(), nil
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// testTarget is built from what the cache has of this machine; what is done with it is the same for all.
const testTarget = "linux/amd64"

func makeRelease(folder string) (err error) {
	if made.source, err = readSource("../.."); err != nil {
		return err
	}
	// Whatever the state of this repository is, the tests make a release.
	made.version, made.snapshot, made.quick = "1.2.3", "", true
	made.out, made.work = filepath.Join(folder, "dist"), filepath.Join(folder, "work")
	if err := os.MkdirAll(made.work, 0o755); err != nil {
		return err
	}
	if err := made.release(made.out, []string{testTarget}); err != nil {
		return err
	}
	entries, err := os.ReadDir(made.out)
	for _, e := range entries {
		made.files = append(made.files, e.Name())
	}
	return err
}

// file returns the path of the file of the release that ends so.
func file(t *testing.T, end string) string {
	t.Helper()
	for _, name := range made.files {
		if strings.HasSuffix(name, end) {
			return filepath.Join(made.out, name)
		}
	}
	t.Fatalf("no file of %q ends in %s", made.files, end)
	return ""
}

// read returns the contents of a file.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// missing skips a test whose component this machine does not have; on CI it fails.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("MISSING: "+format, args...)
	}
	t.Skipf("MISSING: "+format, args...)
}
