//go:build cluster

package clustertest

import (
	"context"
	"flag"
	"log/slog"
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The traffic, in messages a second, of all publishers together and of all commanders
// together.
var (
	repliesPerSecond  = flag.Int("replies", 1000, "replies a second")
	commandsPerSecond = flag.Int("commands", 200, "commands a second")
)

func TestMain(m *testing.M) { testkit.Main(m) }

// logger writes a program's log without the lines for each command or reply.
func logger(t *testing.T, program string) *slog.Logger {
	return slog.New(quietHandler{slog.NewTextHandler(t.Output(), nil)}).With("program", program)
}

type quietHandler struct{ slog.Handler }

var everyday = []string{
	"command", "a command failed", "replies cannot be published and are lost", "replies are published again",
	"the process was paused: messages that clients sent meanwhile are late",
}

func (h quietHandler) Handle(ctx context.Context, r slog.Record) error {
	if slices.Contains(everyday, r.Message) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

func (h quietHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietHandler{h.Handler.WithAttrs(attrs)}
}
