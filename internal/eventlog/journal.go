package eventlog

import (
	"context"
	"io"
	"log/slog"
	"os"
)

// journalVariable is set by systemd for programs whose output it reads: the device and the inode of the socket.
const journalVariable = "JOURNAL_STREAM"

// IsJournal reports whether a file is the socket of systemd's journal. The variable alone does not tell: programs that
// a service starts inherit it, and may write elsewhere.
func IsJournal(f *os.File) bool {
	want, ok := os.LookupEnv(journalVariable)
	return ok && want != "" && want == deviceAndInode(f)
}

// priorities are syslog's priorities of slog's levels, which journald takes off the line.
var priorities = []struct {
	from   slog.Level
	prefix string
}{
	{slog.LevelError, "<3>"},
	{slog.LevelWarn, "<4>"},
	{slog.LevelInfo, "<6>"},
	{slog.Level(-1 << 31), "<7>"},
}

// journalHandler has a handler for each priority: a handler does not know how to begin a line.
type journalHandler []slog.Handler

func newJournalHandler(to io.Writer, newHandler func(io.Writer) slog.Handler) journalHandler {
	var all journalHandler
	for _, p := range priorities {
		all = append(all, newHandler(&prefixWriter{to, p.prefix}))
	}
	return all
}

// Enabled reports whether lines of the level are written.
func (h journalHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h[0].Enabled(ctx, level)
}

// Handle writes a line.
func (h journalHandler) Handle(ctx context.Context, r slog.Record) error {
	for i, p := range priorities {
		if r.Level >= p.from {
			return h[i].Handle(ctx, r)
		}
	}
	return h[len(h)-1].Handle(ctx, r)
}

// WithAttrs returns a handler with more attributes.
func (h journalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.each(func(one slog.Handler) slog.Handler { return one.WithAttrs(attrs) })
}

// WithGroup returns a handler that puts what follows into a group.
func (h journalHandler) WithGroup(name string) slog.Handler {
	return h.each(func(one slog.Handler) slog.Handler { return one.WithGroup(name) })
}

func (h journalHandler) each(change func(slog.Handler) slog.Handler) slog.Handler {
	changed := make(journalHandler, len(h))
	for i, one := range h {
		changed[i] = change(one)
	}
	return changed
}

// prefixWriter begins each line, which is one call of Write, with a prefix. Lines of different priorities are written
// by different handlers, so the writer below takes calls from several goroutines at the same time.
type prefixWriter struct {
	to     io.Writer
	prefix string
}

// Write writes a line.
func (w *prefixWriter) Write(line []byte) (int, error) {
	if _, err := w.to.Write(append([]byte(w.prefix), line...)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// withoutTime leaves out the time of a line.
func withoutTime(next func([]string, slog.Attr) slog.Attr) func([]string, slog.Attr) slog.Attr {
	return func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		if next != nil {
			return next(groups, a)
		}
		return a
	}
}
