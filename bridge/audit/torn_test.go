package audit

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestARowAfterOneThatACrashOrAFullDiskHasCutBeginsALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	cut := func() {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(`{"time":"2026-`); err != nil {
			t.Fatal(err)
		}
	}
	cut()
	l, err := Open(Config{Target: path})
	if err != nil {
		t.Fatal(err)
	}
	l.Entered(Entered{})
	l.flush(testkit.Patience)
	cut()
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.Entered(Entered{})
	if err := l.Close(testkit.Patience); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 5 || !strings.Contains(lines[1], "entered") || !strings.Contains(lines[3], "entered") || lines[2] != lines[0] {
		t.Errorf("the file is\n%s", text)
	}
}

func TestCheckRefusesWhatOpenDoesAndCreatesNothing(t *testing.T) {
	dir := t.TempDir()
	existing := filepath.Join(dir, "existing.log")
	if err := os.WriteFile(existing, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for target, usable := range map[string]bool{
		Stdout: true, existing: true, filepath.Join(dir, "new.log"): true,
		dir: false, filepath.Join(dir, "no", "new.log"): false,
	} {
		if err := Check(target); (err == nil) != usable {
			t.Errorf("%s: %v", target, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "new.log")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a file was created: %v", target, err)
		}
	}
	for _, target := range []string{dir, filepath.Join(dir, "no", "new.log")} {
		if _, err := Open(Config{Target: target}); err == nil {
			t.Errorf("%s is opened", target)
		}
	}
}
