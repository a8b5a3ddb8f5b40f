package terminal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheHistoryIsKeptForItsOwner(t *testing.T) {
	file := HistoryFile(func(name string) string { return map[string]string{"XDG_STATE_HOME": t.TempDir()}[name] })
	h := openHistory(file)
	for _, line := range []string{"open", "open", " secret", "", "close"} {
		h.Add(line)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has the mode %v, %v", info.Mode(), err)
	}
	if dir, err := os.Stat(filepath.Dir(file)); err != nil || dir.Mode().Perm() != 0o700 {
		t.Errorf("its folder has the mode %v, %v", dir.Mode(), err)
	}
	again := openHistory(file)
	if again.Len() != 2 || again.At(0) != "close" || again.At(1) != "open" {
		t.Errorf("the lines are %q", again.lines)
	}
}

func TestALongHistoryIsCut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	var text strings.Builder
	for i := range mostHistory + 10 {
		fmt.Fprintln(&text, "line", i)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if h := openHistory(file); h.Len() != mostHistory || h.At(0) != fmt.Sprint("line ", mostHistory+9) {
		t.Errorf("%d lines, the newest is %q", h.Len(), h.At(0))
	}
	kept, err := os.ReadFile(file)
	if info, _ := os.Stat(file); err != nil || strings.Count(string(kept), "\n") != mostHistory || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has %d lines, %v, %v", strings.Count(string(kept), "\n"), err, info.Mode())
	}
}

func TestASearchGoesFromNewToOld(t *testing.T) {
	h := &history{}
	for _, line := range []string{"open 1", "close", "open 2"} {
		h.Add(line)
	}
	var got []string
	line := "open"
	for range 4 {
		line = h.search(line)
		got = append(got, line)
	}
	if want := "open 2|open 1|open|open 2"; strings.Join(got, "|") != want {
		t.Errorf("found %s, want %s", strings.Join(got, "|"), want)
	}
}

func TestWithoutAHomeThereIsNoHistory(t *testing.T) {
	if file := HistoryFile(func(string) string { return "" }); file != "" {
		t.Errorf("the file is %s", file)
	}
	if file := HistoryFile(func(name string) string { return map[string]string{"XDG_STATE_HOME": "relative", "HOME": "/h"}[name] }); file != filepath.Join("/h", ".local", "state", "clu-ws", "history") {
		t.Errorf("the file is %s", file)
	}
	h := openHistory("")
	h.Add("open")
	if h.Len() != 1 {
		t.Error("a line is lost")
	}
}
