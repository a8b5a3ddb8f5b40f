package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// record has perf(1) record the target, if a folder for recordings was given.
func (b *bench) record(scenario string, clients int, t *target) (stop func(), err error) {
	if b.cfg.Perf == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(b.cfg.Perf, 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(b.cfg.Perf, fmt.Sprintf("%s-%d.perf", scenario, clients))
	perf, err := startChild("perf", "perf", "record", "-q", "-F", "499", "-g", "-o", file, "-p", strconv.Itoa(t.pid))
	if err != nil {
		return nil, err
	}
	return func() {
		_ = syscall.Kill(perf.pid, syscall.SIGINT) // it writes the file, and ends
		<-perf.done
	}, nil
}
