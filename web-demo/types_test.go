package webdemo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// compile returns what tsc says of a project.
func compile(t *testing.T, folder string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), testkit.TypeScript(t), "--project", folder).CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	return string(out)
}

func TestTypeScriptFindsMistakesAndNoOthers(t *testing.T) {
	if said := compile(t, "testdata/types"); said != "" {
		t.Errorf("tsc says:\n%s", said)
	}

	// Without the marks, each marked line is found.
	text, err := os.ReadFile("testdata/types/programs.ts")
	if err != nil {
		t.Fatal(err)
	}
	client, err := filepath.Abs("client")
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile("testdata/types/tsconfig.json")
	if err != nil {
		t.Fatal(err)
	}
	marked := strings.Count(string(text), "// @ts-expect-error\n")
	bare := strings.ReplaceAll(string(text), "// @ts-expect-error\n", "")
	bare = strings.ReplaceAll(bare, "../../client", client)
	folder := t.TempDir()
	for name, content := range map[string]string{"programs.ts": bare, "tsconfig.json": string(config), "package.json": `{"type": "module"}`} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lines := map[string]bool{}
	for line := range strings.Lines(compile(t, folder)) {
		if where, _, ok := strings.Cut(line, ": error TS"); ok {
			place, _, _ := strings.Cut(where[strings.LastIndex(where, "("):], ",")
			lines[place] = true
		}
	}
	if marked < 10 || len(lines) != marked {
		t.Errorf("of %d mistakes, tsc finds %d", marked, len(lines))
	}
}
