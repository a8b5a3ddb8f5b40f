package webdemo_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// process is a process of the browser, in /proc.
type process string

// renderer is the process of the page: of this program's browser, the renderer that has used the most CPU.
func renderer(tb testing.TB) (page process) {
	tb.Helper()
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	most := time.Duration(-1)
	for _, dir := range dirs {
		args, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || !strings.Contains(string(args), "--type=renderer") || !process(dir).descends() {
			continue
		}
		if cpu := process(dir).cpu(); cpu > most {
			most, page = cpu, process(dir)
		}
	}
	if page == "" {
		tb.Fatal("there is no /proc to read the CPU and the memory of the renderer from: this needs Linux")
	}
	return page
}

// stat returns the fields of /proc/PID/stat after the name of the program.
func (p process) stat() []string {
	text, _ := os.ReadFile(filepath.Join(string(p), "stat"))
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.Fields(rest)
}

// descends reports whether it was started by this program, or by what this program has started.
func (p process) descends() bool {
	for range 10 {
		fields := p.stat()
		if len(fields) < 2 {
			return false
		}
		if fields[1] == strconv.Itoa(os.Getpid()) {
			return true
		}
		p = process("/proc/" + fields[1])
	}
	return false
}

// cpu is the CPU time that it has used.
func (p process) cpu() time.Duration {
	fields := p.stat()
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100 on every Linux
}

// onCPU is what [process.cpu] is, exactly.
func (p process) onCPU() time.Duration {
	text, _ := os.ReadFile(filepath.Join(string(p), "schedstat"))
	ns, _, _ := strings.Cut(string(text), " ")
	n, _ := strconv.ParseInt(ns, 10, 64)
	return time.Duration(n)
}

// mainThread is its main thread, which runs the page's code.
func (p process) mainThread() process {
	return process(filepath.Join(string(p), "task", filepath.Base(string(p))))
}

// rss is its memory in bytes.
func (p process) rss() int64 {
	fields := p.stat()
	if len(fields) < 22 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[21], 10, 64)
	return pages * int64(os.Getpagesize())
}
