//go:build unix

package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeGo is a go that knows its environment only.
const fakeGo = `#!/bin/sh
[ "$1" = env ] || exit 2
case $2 in
GOVERSION) echo "$FAKE_VERSION" ;;
GOTOOLCHAIN) echo "$FAKE_TOOLCHAIN" ;;
GOCACHE) echo "$FAKE_CACHE" ;;
GOMODCACHE) echo "$FAKE_MODULES" ;;
esac
`

// needGo runs need-go.sh with a PATH on which go is the fake one, if there is a version of it, and returns what it says.
func needGo(t *testing.T, version, toolchain, cache, modules string) (said string, ok bool) {
	t.Helper()
	path := t.TempDir()
	for _, name := range []string{"sh", "awk", "dirname", "mkdir"} {
		program, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(program, filepath.Join(path, name)); err != nil {
			t.Fatal(err)
		}
	}
	if version != "" {
		if err := os.WriteFile(filepath.Join(path, "go"), []byte(fakeGo), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("./need-go.sh")
	cmd.Env = []string{"PATH=" + path, "HOME=" + path, "FAKE_VERSION=" + version, "FAKE_TOOLCHAIN=" + toolchain, "FAKE_CACHE=" + cache, "FAKE_MODULES=" + modules}
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func TestAMachineThatCannotBuildIsToldWhy(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "not yet there")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name                               string
		version, toolchain, cache, modules string
		want                               string // "" if it can build
	}{
		{"no Go", "", "", "", "", "Go is "}, // not installed, or in a folder that is not on the PATH
		{"a Go before toolchains", "go1.19.8", "", folder, folder, "This is Go 1.19.8; Go 1."},
		{"an old Go that may fetch a newer one", "go1.24.4", "auto", folder, folder, ""},
		{"an old Go that may not", "go1.24.4", "local", folder, folder, "export GOTOOLCHAIN=auto"},
		{"a Go that is new enough", "go1.26.0", "local", folder, folder, ""},
		{"a newer Go", "go2.0rc1", "local", folder, folder, ""},
		{"a Go of its developers", "devel go1.30-0123456789 linux/amd64", "local", folder, folder, ""},
		{"a cache that cannot be written", "go1.26.0", "auto", file, folder, "export GOCACHE="},
		{"no home", "go1.26.0", "auto", "off", folder, "export GOCACHE="},
		{"modules that cannot be written", "go1.26.0", "auto", folder, filepath.Join(file, "mod"), "export GOMODCACHE="},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			said, ok := needGo(t, c.version, c.toolchain, c.cache, c.modules)
			if ok != (c.want == "") || !strings.Contains(said, c.want) || ok && said != "" {
				t.Errorf("ok: %t, said %q, want %q", ok, said, c.want)
			}
			if !ok && strings.Count(said, "\n") != 1 {
				t.Errorf("it is not one line: %q", said)
			}
		})
	}
}
