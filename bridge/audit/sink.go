package audit

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// sink is where rows are written.
type sink interface {
	io.WriteCloser
	// joins reports whether several rows may be written at once.
	joins() bool
	// torn reports whether what is in the sink ends within a row.
	torn() bool
}

// fileMode lets a group read the rows, such as that of a program that collects logs.
const fileMode = 0o640

// openSink opens the target.
func openSink(cfg Config) (sink, error) {
	switch cfg.Target {
	case Stdout:
		return stream{cfg.Stdout}, nil
	case Syslog:
		return openSyslog(syslogSockets)
	}
	// A row is appended even if another program has cut the file, as logrotate's copytruncate
	// does. A pipe without a reader is an error instead of a wait for one.
	f, err := os.OpenFile(cfg.Target, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, fileMode)
	if err != nil {
		return nil, fmt.Errorf("the audit log cannot be opened: %w", err)
	}
	return file{f}, nil
}

// Check returns an error if a target cannot be opened, and creates no file.
func Check(target string) error {
	switch target {
	case Stdout:
		return nil
	case Syslog:
		s, err := openSyslog(syslogSockets)
		if err == nil {
			err = s.Close()
		}
		return err
	}
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0)
	switch {
	case err == nil:
		return f.Close()
	case os.IsNotExist(err):
		_, err = os.Stat(filepath.Dir(target))
	}
	if err != nil {
		return fmt.Errorf("the audit log cannot be opened: %w", err)
	}
	return nil
}

type file struct{ *os.File }

func (file) joins() bool { return true }

// torn reads the last byte: the program, or the disk, may have ended within a row. A file that
// cannot be read, such as a pipe, counts as whole.
func (f file) torn() bool {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	read, err := os.Open(f.Name())
	if err != nil {
		return false
	}
	defer read.Close()
	last := []byte{'\n'}
	_, _ = read.ReadAt(last, info.Size()-1)
	return last[0] != '\n'
}

// stream is a sink that is not closed.
type stream struct{ io.Writer }

func (stream) joins() bool  { return true }
func (stream) torn() bool   { return false }
func (stream) Close() error { return nil }
