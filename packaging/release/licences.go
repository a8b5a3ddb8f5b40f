package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is a Go module that is in the program.
type module struct{ Path, Version, Dir string }

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// writeLicences writes the licences of everything in the program that is not its own, as most of them demand.
func (b *builder) writeLicences(path string) error {
	modules, err := b.modules()
	if err != nil {
		return err
	}
	goroot, err := b.command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	modules = append(modules, module{"Go's standard library", "", strings.TrimSpace(string(goroot))},
		module{"uPlot, in the page", "", filepath.Join(b.root, "web-demo", "page", "libraries", "uplot")})
	var text strings.Builder
	text.WriteString("clu-ws contains the following, under these licences.\n")
	for _, m := range modules {
		files, err := licencesIn(m.Dir)
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("%s has no file with its licence in %s", m.Path, m.Dir)
		}
		fmt.Fprintf(&text, "\n%s\n%s\n", strings.Repeat("=", 78), strings.TrimSpace(m.Path+" "+m.Version))
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			fmt.Fprintf(&text, "\n--- %s\n\n%s\n", filepath.Base(file), strings.TrimSpace(strings.ReplaceAll(string(content), "\r\n", "\n")))
		}
	}
	return os.WriteFile(path, []byte(text.String()), 0o644)
}

// modules returns the modules of the packages that the program is built from, on any of the systems of a release.
func (b *builder) modules() (all []module, err error) {
	for _, system := range []string{"linux", "darwin"} {
		cmd := b.command("go", "list", "-deps", "-json=Module", "./cmd/clu-ws")
		cmd.Env = append(cmd.Env, "GOOS="+system, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			return nil, err
		}
		for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
			var p struct {
				Module *struct {
					module
					Main bool
				}
			}
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Module != nil && !p.Module.Main && !slices.Contains(all, p.Module.module) {
				all = append(all, p.Module.module)
			}
		}
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

func licencesIn(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if !e.IsDir() && licenceFile.MatchString(e.Name()) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, err
}
