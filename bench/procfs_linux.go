package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// procfs reads the resources that processes use.
type procfs struct{ root string }

// clockTick is the unit of the times in /proc/<pid>/stat. It is 100 a second on every system in use (USER_HZ).
const clockTick = time.Second / 100

// cpu returns the CPU time of all threads of a process, user and system.
func (p procfs) cpu(pid int) (time.Duration, error) {
	threads, err := p.threads(pid)
	var sum time.Duration
	for _, used := range threads {
		sum += used
	}
	return sum, err
}

// threads returns that time for each thread. schedstat counts nanoseconds, up to the last time that a thread left the
// processor: read it when the process is at rest. Without schedstat, all threads are one.
func (p procfs) threads(pid int) (map[string]time.Duration, error) {
	files, err := filepath.Glob(filepath.Join(p.root, strconv.Itoa(pid), "task", "*", "schedstat"))
	if err != nil || len(files) == 0 {
		user, system, err := p.cpuTicks(pid)
		return map[string]time.Duration{"": user + system}, err
	}
	threads := make(map[string]time.Duration, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the thread has ended
		}
		if err != nil {
			return nil, err
		}
		first, _, _ := bytes.Cut(text, []byte(" "))
		ns, err := strconv.ParseInt(string(first), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not a schedstat", file, text)
		}
		threads[file] = time.Duration(ns)
	}
	return threads, nil
}

// cpuTicks returns that time of all threads together, in user mode and in the kernel. It is sampled at each tick, and so
// less exact; the sum is for kernels without schedstat.
func (p procfs) cpuTicks(pid int) (user, system time.Duration, err error) {
	file := filepath.Join(p.root, strconv.Itoa(pid), "stat")
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	// The name, in parentheses, may contain anything: count from its end.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0, 0, fmt.Errorf("%s: %q is not a stat", file, text)
	}
	inUser, err1 := strconv.ParseInt(string(fields[11]), 10, 64)
	inKernel, err2 := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(inUser) * clockTick, time.Duration(inKernel) * clockTick, errors.Join(err1, err2)
}

// stopped reports whether all threads of a process have stopped after SIGSTOP.
func (p procfs) stopped(pid int) (bool, error) {
	files, err := filepath.Glob(filepath.Join(p.root, strconv.Itoa(pid), "task", "*", "stat"))
	if err != nil {
		return false, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the thread has ended
		}
		if err != nil {
			return false, err
		}
		// The state follows the name, in parentheses, which may contain anything.
		if rest := bytes.TrimSpace(text[bytes.LastIndexByte(text, ')')+1:]); len(rest) == 0 || rest[0] != 'T' {
			return false, nil
		}
	}
	return len(files) > 0, nil
}

// rss returns the resident memory of a process, in bytes. smaps_rollup is exact; statm may be off by some dozens of pages
// for each processor.
func (p procfs) rss(pid int) (int64, error) {
	dir := filepath.Join(p.root, strconv.Itoa(pid))
	if text, err := os.ReadFile(filepath.Join(dir, "smaps_rollup")); err == nil {
		for line := range bytes.Lines(text) {
			var kib int64
			if n, _ := fmt.Sscanf(string(line), "Rss: %d kB", &kib); n == 1 {
				return kib << 10, nil
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "statm"))
	if err != nil {
		return 0, err
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0, fmt.Errorf("%s/statm: %q is not a statm", dir, text)
	}
	return pages * int64(os.Getpagesize()), nil
}

// connections returns how many TCP connections of a process at its own port are established.
func (p procfs) connections(pid, port int) (n int, err error) {
	dir := filepath.Join(p.root, strconv.Itoa(pid))
	table, err := os.ReadFile(filepath.Join(dir, "net", "tcp"))
	if err != nil {
		return 0, err
	}
	// proc(5): sl local_address rem_address st ... inode; 01 is ESTABLISHED.
	established := map[string]bool{}
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 9 && strings.HasSuffix(f[1], suffix) && f[3] == "01" {
			established["socket:["+f[9]+"]"] = true
		}
	}
	files, err := os.ReadDir(filepath.Join(dir, "fd"))
	for _, file := range files {
		if to, err := os.Readlink(filepath.Join(dir, "fd", file.Name())); err == nil && established[to] {
			n++
		}
	}
	return n, err
}
