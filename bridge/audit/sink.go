package audit

import (
	"fmt"
	"io"
	"os"
)

// sink is where rows are written.
type sink interface {
	io.WriteCloser
	// joins reports whether several rows may be written at once.
	joins() bool
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
	// does.
	f, err := os.OpenFile(cfg.Target, os.O_WRONLY|os.O_APPEND|os.O_CREATE, fileMode)
	if err != nil {
		return nil, fmt.Errorf("the audit log cannot be opened: %w", err)
	}
	return file{f}, nil
}

type file struct{ *os.File }

func (file) joins() bool { return true }

// stream is a sink that is not closed.
type stream struct{ io.Writer }

func (stream) joins() bool  { return true }
func (stream) Close() error { return nil }
