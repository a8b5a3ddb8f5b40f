package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) {
	if os.Getenv(runAsProgramEnv) != "" {
		if os.Getenv(tellsStartEnv) != "" {
			os.NewFile(3, "started").Close()
		}
		main()
		return
	}
	testkit.Main(m)
}

// outputLines collects lines, for which a test can wait.
type outputLines struct {
	mu   sync.Mutex // guards the following fields
	text bytes.Buffer
	more chan struct{}
}

func (l *outputLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.more)
	l.more = make(chan struct{})
	return l.text.Write(p)
}

func (l *outputLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits for the first line that contains the words, and returns it.
func (l *outputLines) await(t *testing.T, words string) string {
	t.Helper()
	deadline := time.After(testkit.Patience)
	for {
		l.mu.Lock()
		more := l.more
		text := l.text.String()
		l.mu.Unlock()
		for line := range strings.Lines(text) {
			if strings.Contains(line, words) && strings.HasSuffix(line, "\n") {
				return strings.TrimSpace(line)
			}
		}
		select {
		case <-more:
		case <-deadline:
			t.Fatalf("no line with %q in:\n%s", words, text)
		}
	}
}

// program is clu-ws, running within the test.
type program struct {
	out, log *outputLines
	stop     context.CancelFunc
	ended    chan error
}

// start runs the program until the test ends. It must end without an error.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	p := launch(t, args...)
	t.Cleanup(func() {
		p.stop()
		if err := <-p.ended; err != nil {
			t.Errorf("the program ended with: %v", err)
		}
		if t.Failed() {
			t.Logf("output:\n%slog:\n%s", p.out, p.log)
		}
	})
	return p
}

func launch(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &program{
		out:   &outputLines{more: make(chan struct{})},
		log:   &outputLines{more: make(chan struct{})},
		stop:  cancel,
		ended: make(chan error, 1),
	}
	go func() { p.ended <- run(ctx, append([]string{"clu-ws"}, withTestPoller(args)...), p.out, p.log) }()
	t.Cleanup(cancel)
	return p
}

// address returns where the program says that it listens.
func (p *program) address(t *testing.T) string {
	t.Helper()
	line := p.out.await(t, "listens at")
	_, rest, _ := strings.Cut(line, "http://")
	address, _, _ := strings.Cut(rest, " ")
	return address
}

// failure runs the program, which must end by itself with an error, and returns that.
func failure(t *testing.T, args ...string) string {
	t.Helper()
	p := launch(t, args...)
	select {
	case err := <-p.ended:
		if err == nil {
			t.Fatalf("clu-ws %s ended without an error; it said:\n%s", strings.Join(args, " "), p.out)
		}
		return err.Error()
	case <-time.After(testkit.Patience):
		t.Fatalf("clu-ws %s is still running", strings.Join(args, " "))
		panic("unreachable")
	}
}

// output runs the program to its end and returns what it printed.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), append([]string{"clu-ws"}, args...), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func freePort(t *testing.T) string { return fmt.Sprint(testkit.FreePort(t)) }
