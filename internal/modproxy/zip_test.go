package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// What a proxy serves is limited to this many bytes: a zip that is larger has something in it that no user needs.
const maxZip, maxFile = 5 << 20, 300 << 10

func TestGoInstallFindsAllOfTheProgramInTheModulesZip(t *testing.T) {
	const root, version = "../..", "v0.0.0-test"
	proxy := t.TempDir()
	if err := write(root, proxy, version); err != nil {
		t.Fatal(err)
	}
	v := module.Version{Path: "github.com/clu-ws/clu-ws", Version: version}
	file := filepath.Join(proxy, v.Path, "@v", version+".zip")
	if info, err := os.Stat(file); err != nil || info.Size() > maxZip {
		t.Errorf("the zip is of %v (%v), but should have at most %d bytes", info, err, maxZip)
	}
	folder := filepath.Join(t.TempDir(), "module")
	if err := zip.Unzip(folder, v, file); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if info, err := entry.Info(); err != nil || info.Size() > maxFile {
			t.Errorf("%s has over %d bytes (%v)", path, maxFile, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Without the files of the page, go builds the program all the same.
	if got, want := parts(t, folder), parts(t, root); got != want || !strings.Contains(got, v.Path+"/web-demo [") {
		t.Errorf("in the zip, go finds\n%s\nand in the checkout\n%s", got, want)
	}
}

// parts returns the packages of the program, with the files that are embedded.
func parts(t *testing.T, folder string) string {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}} {{.EmbedFiles}}{{end}}", "./cmd/clu-ws")
	list.Dir = folder
	list.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly -buildvcs=false")
	out, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	return string(out)
}

func TestGoInstallIsNotRefusedForGoMod(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(mod.Replace) > 0 || len(mod.Exclude) > 0 {
		t.Error("go install of a version refuses a module whose go.mod replaces or excludes others")
	}
}
