package terminal

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Env is what the subcommands have around them.
type Env struct {
	Stdout io.Writer
	Stderr io.Writer
	Dial   func(ctx context.Context) (Link, error)
	Server string     // the URL of the bridge or the broker, for people
	Fresh  bool       // the bridge begins with this program, and knows nothing of before
	JSON   bool       // print JSON, one value a line
	Color  bool       // of the standard output
	Width  func() int // of the terminal now, in characters; 0 if there is none
}

// note writes a line about what happens to the standard error.
func (e *Env) note(format string, args ...any) {
	fmt.Fprintf(e.Stderr, "clu-ws: %s\n", visible(fmt.Sprintf(format, args...)))
}

func (e *Env) width() int {
	if e.Width == nil {
		return 0
	}
	return e.Width()
}

// line writes a line to the standard output.
func (e *Env) line(text string) error {
	_, err := io.WriteString(e.Stdout, text+"\n")
	return err
}

// json writes a value as a line of JSON.
func (e *Env) json(value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return e.line(visible(string(raw))) // in JSON, an escape is the same value
}

// noteFresh says that nothing is known of before, if that is asked for.
func (e *Env) noteFresh(since time.Duration) {
	if e.Fresh && since > 0 {
		e.note("nothing is known of what was said before now: " + freshBridge)
	}
}

// freshBridge is why nothing is known of before.
const freshBridge = "with --amqp and without a stream, only what is said from now on is heard"

// dialToListen connects to the bridge, and says so if that hears nothing now.
func (e *Env) dialToListen(ctx context.Context) (Link, error) {
	link, err := e.dial(ctx)
	if err != nil {
		return nil, err
	}
	if broker := link.Hello().Broker; !hearsActors(broker) {
		e.noteEvent(LinkState{Reason: "the bridge's link to the broker is " + broker})
	}
	return link, nil
}

// hearsActors reports whether replies arrive in a state of the bridge's link to the broker.
func hearsActors(broker string) bool { return broker != "down" && broker != "no_replies" }

// dial connects to the bridge. Its error says that nothing was sent.
func (e *Env) dial(ctx context.Context) (Link, error) {
	link, err := e.Dial(ctx)
	if err != nil {
		return nil, orInterrupted(ctx, err)
	}
	return link, nil
}

// flushAfter is how long output may wait for more, so that a program behind a pipe sees a reply soon and a flood of
// replies takes few writes.
const flushAfter = 20 * time.Millisecond

// lineWriter writes lines, and soon after the last one of a burst all that are pending.
type lineWriter struct {
	mu    sync.Mutex // guards the following fields
	w     *bufio.Writer
	timer *time.Timer
	armed bool
	err   error
}

func newLineWriter(w io.Writer) *lineWriter {
	l := &lineWriter{w: bufio.NewWriterSize(w, 64<<10)}
	l.timer = time.AfterFunc(time.Hour, l.flushLate)
	l.timer.Stop()
	return l
}

// Line calls write with the buffer, and adds the end of the line.
func (l *lineWriter) Line(write func(*bufio.Writer)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	write(l.w)
	l.err = l.w.WriteByte('\n')
	if !l.armed {
		l.armed = true
		l.timer.Reset(flushAfter)
	}
	return l.err
}

func (l *lineWriter) flushLate() { _ = l.Flush() } // Line returns the error

// Flush writes what is pending.
func (l *lineWriter) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = false
	if l.err == nil {
		l.err = l.w.Flush()
	}
	return l.err
}

// Close writes what is pending, for the last time.
func (l *lineWriter) Close() error {
	l.timer.Stop()
	return l.Flush()
}
