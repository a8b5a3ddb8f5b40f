package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: typecheck GOOS/GOARCH..., as in typecheck darwin/arm64 windows/amd64")
		os.Exit(2)
	}
	status := 0
	for _, target := range os.Args[1:] {
		faults, err := check(".", target)
		if err != nil {
			faults = []string{err.Error()}
		}
		if len(faults) > 0 {
			fmt.Printf("%s\nFAIL  build %s\n", strings.Join(faults, "\n"), target)
			status = 1
		}
	}
	os.Exit(status)
}

// check returns what is wrong with the module of a folder, and with all that it imports, on a system.
func check(dir, target string) (faults []string, err error) {
	system, processor, ok := strings.Cut(target, "/")
	if !ok {
		return nil, fmt.Errorf("%q is no system; write GOOS/GOARCH, as linux/arm64", target)
	}
	all, err := packages.Load(&packages.Config{
		Mode:       packages.LoadAllSyntax,
		Dir:        dir,
		Env:        append(os.Environ(), "GOOS="+system, "GOARCH="+processor, "CGO_ENABLED=0"),
		BuildFlags: []string{"-tags=cluster,brokers"},
		Tests:      true,
	}, "./...")
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there are no packages for %s", target)
	}
	packages.Visit(all, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			// A package is there once more for its tests.
			if text := e.Error(); !slices.Contains(faults, text) {
				faults = append(faults, text)
			}
		}
	})
	return faults, nil
}
