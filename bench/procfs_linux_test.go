package bench

import (
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// fakeProc is a /proc with the files of process 7.
func fakeProc(t *testing.T, files map[string]string) procfs {
	t.Helper()
	p := procfs{t.TempDir()}
	for name, text := range files {
		file := filepath.Join(p.root, "7", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestCPUTimeIsThatOfAllThreads(t *testing.T) {
	stat := map[string]string{"stat": "7 (a b) c) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 5 0 1 1 1\n"}
	threads := map[string]string{
		"task/7/schedstat": "1000000 20 3\n",
		"task/8/schedstat": "2500000 0 1\n",
	}
	maps.Copy(threads, stat)
	for _, test := range []struct {
		name  string
		files map[string]string
		want  time.Duration
	}{
		{"with schedstat", threads, 3500 * time.Microsecond},
		{"with ticks only", stat, 2 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := fakeProc(t, test.files).cpu(7); err != nil || got != test.want {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestMemoryIsExactIfTheKernelReportsIt(t *testing.T) {
	statm := map[string]string{"statm": "1000 3 2 1 0 4 0\n"}
	both := map[string]string{"smaps_rollup": "00400000-7ffd [rollup]\nRss:                1234 kB\nPss:  1 kB\n"}
	maps.Copy(both, statm)
	if got, err := fakeProc(t, both).rss(7); err != nil || got != 1234<<10 {
		t.Errorf("smaps_rollup: %d, %v", got, err)
	}
	if got, err := fakeProc(t, statm).rss(7); err != nil || got != 3*int64(os.Getpagesize()) {
		t.Errorf("statm: %d, %v", got, err)
	}
}

func TestAMissingProcessIsAnError(t *testing.T) {
	p := fakeProc(t, nil)
	if got, err := p.cpu(7); err == nil {
		t.Errorf("cpu: %v", got)
	}
	if got, err := p.rss(7); err == nil {
		t.Errorf("rss: %v", got)
	}
}

func TestProcHasTheFiguresOfThisProcess(t *testing.T) {
	p := procfs{"/proc"}
	if got, err := p.cpu(os.Getpid()); err != nil || got <= 0 {
		t.Errorf("cpu: %v, %v", got, err)
	}
	if got, err := p.rss(os.Getpid()); err != nil || got < 1<<20 {
		t.Errorf("rss: %v, %v", got, err)
	}
}

func TestAProcessIsStoppedWhenAllItsThreadsAre(t *testing.T) {
	for want, states := range map[bool][]string{true: {"T", "T"}, false: {"T", "S"}} {
		root := t.TempDir()
		for i, state := range states {
			dir := filepath.Join(root, "7", "task", strconv.Itoa(7+i))
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			// A name may hold what looks like a state.
			if err := os.WriteFile(filepath.Join(dir, "stat"), []byte("7 (a) R (b) "+state+" 1 7"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := (procfs{root}).stopped(7); got != want || err != nil {
			t.Errorf("threads in states %v: %t, %v", states, got, err)
		}
	}
}

func TestConnectionsAreThoseOfTheProcessAndItsPort(t *testing.T) {
	root := t.TempDir()
	fd := filepath.Join(root, "7", "fd")
	if err := os.MkdirAll(fd, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, to := range []string{"socket:[11]", "socket:[12]", "socket:[13]", "socket:[14]", "pipe:[15]"} {
		if err := os.Symlink(to, filepath.Join(fd, string(rune('0'+i)))); err != nil {
			t.Fatal(err)
		}
	}
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2694 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1 0 100 0 0 10 0
   1: 0100007F:2694 0101017F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 12 1 0 20 4 30 10 -1
   2: 0100007F:C350 0100007F:1628 01 00000000:00000000 00:00000000 00000000  1000        0 13 1 0 20 4 30 10 -1
   3: 0100007F:2694 0101017F:C351 06 00000000:00000000 00:00000000 00000000  1000        0 14 1 0 20 4 30 10 -1
   4: 0100007F:2694 0101017F:C352 01 00000000:00000000 00:00000000 00000000  1000        0 99 1 0 20 4 30 10 -1
`
	if err := os.Mkdir(filepath.Join(root, "7", "net"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "7", "net", "tcp"), []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := (procfs{root}).connections(7, 0x2694); n != 1 || err != nil {
		t.Errorf("%d connections, %v; want 1: the others listen, are the broker's, closed, or another process's", n, err)
	}
}
