package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// builder builds a release.
type builder struct {
	source
	work string // a folder for what goes into archives and packages
	// quick takes the program that was built for this machine, from the cache that tests use.
	quick bool
}

// binary is the program of one system.
type binary struct {
	system, processor string
	path              string
}

// build builds the program for a target, GOOS/GOARCH.
func (b *builder) build(target string) (binary, error) {
	system, processor, ok := strings.Cut(target, "/")
	if !ok {
		return binary{}, fmt.Errorf("%q is not a target; write GOOS/GOARCH, as linux/amd64", target)
	}
	if b.quick {
		return binary{system, processor, b.program()}, nil
	}
	bin := binary{system, processor, filepath.Join(b.work, "bin", system+"_"+processor, "clu-ws")}
	// What is recorded of the version control differs between a clone and a work tree.
	cmd := b.command("go", "build", "-o", bin.path, "-trimpath", "-buildvcs=false", "-ldflags", b.linkerFlags(), "./cmd/clu-ws")
	// What else is set in the environment would be in the bytes.
	cmd.Env = append(cmd.Env, "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+processor, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off")
	return bin, cmd.Run()
}

// program is the program for this machine, which writes what is made from its flags.
func (b *builder) program() string { return filepath.Join(b.work, "clu-ws") }

func (b *builder) linkerFlags() string {
	return fmt.Sprintf("-s -w -X main.commit=%s%s -X main.date=%s", b.commit[:12], b.changes(), b.date.Format(time.RFC3339))
}

// changes marks the commit of a build with changes.
func (b *builder) changes() string {
	if strings.HasSuffix(b.snapshot, ".changed") {
		return "+changes"
	}
	return ""
}

// command returns a command in the repository, whose errors are seen.
func (b *builder) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stderr = b.root, os.Environ(), os.Stderr
	return cmd
}

// generated are the folders of what the program itself writes.
func (b *builder) generated(parts ...string) string {
	return filepath.Join(append([]string{b.work, "generated"}, parts...)...)
}

// writeGenerated writes what is made from the program's flags.
func (b *builder) writeGenerated() error {
	for _, folder := range []string{"man", "completion"} {
		if err := os.MkdirAll(b.generated(folder), 0o755); err != nil {
			return err
		}
	}
	cmd := b.command("go", "build", "-o", b.program(), "-buildvcs=false", "-ldflags", b.linkerFlags(), "./cmd/clu-ws")
	cmd.Env = append(cmd.Env, "CGO_ENABLED=0") // tests run it where there are no libraries
	if err := cmd.Run(); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"man", "--date", b.date.Format(time.DateOnly), b.generated("man")},
		{"configuration", "--yaml", "docs/clu-ws.yaml", b.generated("clu-ws.yaml")},
	} {
		if err := b.command(b.program(), args...).Run(); err != nil {
			return err
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script, err := b.command(b.program(), "completion", shell).Output()
		if err != nil {
			return err
		}
		if err := os.WriteFile(b.generated("completion", shell), script, 0o644); err != nil {
			return err
		}
	}
	return b.writeLicences(b.generated("THIRD-PARTY.txt"))
}
