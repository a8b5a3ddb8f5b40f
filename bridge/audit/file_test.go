package audit

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestARotatedFileIsReopened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	l, err := Open(Config{Target: path})
	if err != nil {
		t.Fatal(err)
	}
	l.Entered(Entered{})
	l.flush(testkit.Patience)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l.Kicked(Kicked{})
	l.flush(testkit.Patience)
	for range 2 {
		if err := l.Reopen(); err != nil {
			t.Fatal(err)
		}
	}
	l.Reloaded(Reloaded{})
	if err := l.Close(testkit.Patience); err != nil {
		t.Fatal(err)
	}
	for name, events := range map[string][]string{path + ".1": {"entered", "kicked"}, path: {"reloaded"}} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rows := parseRows(t, string(text))
		if len(rows) != len(events) {
			t.Fatalf("%s has %s", name, text)
		}
		for i, want := range events {
			if rows[i]["event"] != want {
				t.Errorf("row %d of %s is %v", i, name, rows[i])
			}
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("everyone may read it: %v, %v", info.Mode(), err)
	}
}

func TestAFileThatCannotBeReopenedStaysInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "audit.log")
	l, err := Open(Config{Target: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("reopening: %v", err)
	}
	l.Entered(Entered{})
	if err := l.Close(testkit.Patience); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir+".away", "audit.log")); err != nil || len(parseRows(t, string(text))) != 1 {
		t.Errorf("%s, %v", text, err)
	}
}

func TestConcurrentEventsAreAllWrittenWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	l, err := Open(Config{Target: path, Required: true, maxWait: testkit.Patience})
	if err != nil {
		t.Fatal(err)
	}
	const writers, each = 8, 200
	var all, sent sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				sent.Add(1)
				l.Command(dome, func(err error) {
					if err != nil {
						t.Error(err)
					}
					sent.Done()
				})
			}
		})
	}
	all.Wait()
	sent.Wait()
	if err := l.Close(testkit.Patience); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range parseRows(t, string(text)) {
		if r["event"] != "command" {
			t.Errorf("a row is %v", r)
		}
	}
	if n := strings.Count(string(text), "\n"); n != writers*each || l.Stats().Written != writers*each {
		t.Errorf("%d rows, the figures are %+v", n, l.Stats())
	}
}
