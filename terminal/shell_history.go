package terminal

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// mostHistory is how many earlier lines are known.
const mostHistory = 1000

// history are the earlier lines, in a file that only its owner may read.
type history struct {
	file string // "": none

	mu     sync.Mutex // guards the following fields
	lines  []string   // the newest is the last
	wanted *string    // what a search looks for, nil between searches
	found  int        // how many lines before the newest the search has got
}

// HistoryFile returns where the shell keeps its earlier lines, "" if that cannot be known.
func HistoryFile(getenv func(string) string) string {
	dir := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) { // the specification has others ignored
		home := getenv("HOME")
		if home == "" {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "clu-ws", "history")
}

// openHistory reads the file. A history that cannot be read or written is not kept; that is no reason not to work.
func openHistory(file string) *history {
	h := &history{file: file}
	if file == "" {
		return h
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		h.file = ""
		return h
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return h
	}
	_ = os.Chmod(file, 0o600)
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	if len(lines) > mostHistory {
		lines = lines[len(lines)-mostHistory:]
		h.rewrite(lines)
	}
	for _, line := range lines {
		if line != "" {
			h.lines = append(h.lines, line)
		}
	}
	return h
}

// rewrite replaces the file by these lines, at once.
func (h *history) rewrite(lines []string) {
	next := h.file + ".new"
	if os.WriteFile(next, []byte(strings.Join(lines, "\n")+"\n"), 0o600) == nil {
		_ = os.Rename(next, h.file)
	}
}

// Add implements [term.History]. A line that begins with a blank is not kept, as in other shells.
func (h *history) Add(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wanted = nil
	if strings.TrimSpace(line) == "" || line[0] == ' ' || len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return
	}
	h.lines = append(h.lines, line)
	if h.file == "" {
		return
	}
	f, err := os.OpenFile(h.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = f.WriteString(line + "\n")
	_ = f.Close()
}

// Len implements [term.History].
func (h *history) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.lines)
}

// At implements [term.History]: 0 is the newest line.
func (h *history) At(i int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lines[len(h.lines)-1-i]
}

// search returns the newest line that has the text, then older ones with each call, and the text after the last one.
func (h *history) search(line string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wanted == nil {
		h.wanted, h.found = &line, 0
	}
	for h.found < len(h.lines) {
		h.found++
		if one := h.lines[len(h.lines)-h.found]; one != line && strings.Contains(one, *h.wanted) {
			return one
		}
	}
	h.found = 0
	return *h.wanted
}

func (h *history) endSearch() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wanted = nil
}
