package eventlog

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// Format is how lines are written.
type Format string

// The formats.
const (
	Text Format = "text"
	JSON Format = "json"
)

// ParseFormat returns the format of that name.
func ParseFormat(name string) (Format, error) {
	switch f := Format(name); f {
	case Text, JSON:
		return f, nil
	}
	return "", fmt.Errorf("%q is not a format of the log; choose text or json", name)
}

// Options configures a logger.
type Options struct {
	Level       slog.Leveler
	Format      Format
	Journal     bool // lines go to systemd's journal (see [IsJournal])
	ReplaceAttr func(groups []string, a slog.Attr) slog.Attr
}

// New returns a logger whose lines have the event that they are about, as their last attribute. A writer that has a
// method OnDropped is told how to write that it has dropped lines.
func New(to io.Writer, o Options) *slog.Logger {
	h := o.handler(to)
	if dropping, ok := to.(interface{ OnDropped(func(count int) []byte) }); ok {
		dropping.OnDropped(o.droppedLine)
	}
	return slog.New(&handler{h})
}

// handler returns a handler that writes the lines.
func (o Options) handler(to io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: o.Level, ReplaceAttr: o.ReplaceAttr}
	if !o.Journal {
		return o.formatter(to, options)
	}
	if o.Format != JSON {
		options.ReplaceAttr = withoutTime(o.ReplaceAttr)
	}
	return newJournalHandler(to, func(w io.Writer) slog.Handler { return o.formatter(w, options) })
}

func (o Options) formatter(to io.Writer, options *slog.HandlerOptions) slog.Handler {
	if o.Format == JSON {
		inWords := *options
		inWords.ReplaceAttr = withUnits(options.ReplaceAttr)
		return slog.NewJSONHandler(to, &inWords)
	}
	return slog.NewTextHandler(to, options)
}

// withUnits makes a ReplaceAttr write a duration as text does, such as 1.7s: alone, JSON has nanoseconds and does not say so.
func withUnits(next func([]string, slog.Attr) slog.Attr) func([]string, slog.Attr) slog.Attr {
	return func(groups []string, a slog.Attr) slog.Attr {
		if next != nil {
			a = next(groups, a)
		}
		if a.Value.Kind() == slog.KindDuration {
			a.Value = slog.StringValue(a.Value.Duration().String())
		}
		return a
	}
}

// droppedLine returns the line that says that lines were dropped.
func (o Options) droppedLine(count int) []byte {
	var line strings.Builder
	r := slog.NewRecord(time.Now(), slog.LevelWarn, droppedMessage, 0)
	r.AddAttrs(slog.Int("count", count), slog.String("event", Dropped))
	_ = o.handler(&line).Handle(context.Background(), r) // a Builder takes everything
	return []byte(line.String())
}

// handler adds the event to each record.
type handler struct{ slog.Handler }

// Handle adds the event and passes the record on.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	r = r.Clone()
	r.AddAttrs(slog.String("event", Of(r.Message)))
	return h.Handler.Handle(ctx, r)
}

// WithAttrs returns a handler with more attributes.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup returns a handler that puts what follows into a group.
func (h *handler) WithGroup(name string) slog.Handler { return &handler{h.Handler.WithGroup(name)} }

// Of returns the event of a message, or [Other].
func Of(message string) string {
	if event, ok := byMessage[message]; ok {
		return event
	}
	if head, _, ok := strings.Cut(message, ": "); ok {
		if event, ok := byMessage[head]; ok {
			return event
		}
	}
	return Other
}
