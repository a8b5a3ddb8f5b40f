package conventions

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The README's Go is the body of a program.
func TestTheGoInTheREADMECompiles(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, body, found := strings.Cut(string(text), "```go\n")
	body, _, closed := strings.Cut(body, "```")
	if !found || !closed {
		t.Fatal("the README has no Go")
	}
	const head = `package main

import (
	"context"
	"log"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

func main() {
`
	program := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(program, []byte(head+body+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "vet", program)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
