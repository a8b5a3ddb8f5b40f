package terminal_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/terminal"
	"github.com/clu-ws/clu-ws/terminal/recording"
)

// eventsLink brings the events of a test, and then nothing more.
type eventsLink struct {
	terminal.Link
	events     []terminal.Event
	selections []terminal.Selection
	last       func() // called after the last event
}

func (l *eventsLink) Hello() terminal.Hello { return terminal.Hello{Name: "bridge", Epoch: "e"} }
func (l *eventsLink) Now() time.Time        { return time.UnixMicro(1795232320123456) }
func (l *eventsLink) Close() error          { return nil }
func (l *eventsLink) Listen(ctx context.Context, selections []terminal.Selection, each func(terminal.Event) error) error {
	l.selections = selections
	for _, event := range l.events {
		if err := each(event); err != nil {
			return err
		}
	}
	l.last()
	<-ctx.Done()
	return ctx.Err()
}

// recordAll records a reply, a gap, an interruption and a reply.
func recordAll(t *testing.T, o terminal.RecordOptions) (notes string, err error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	seconds := 1.5
	heard := time.UnixMicro(1795232320123456)
	link := &eventsLink{last: stop, events: []terminal.Event{
		&terminal.Reply{Raw: []byte(`{"body": {"n": 1}, "heard": 1795232320123456}`), Heard: heard},
		terminal.Gap{Seconds: &seconds}, terminal.LinkState{Reason: "away"}, terminal.LinkState{Up: true}, terminal.Dropped{Count: 3},
		&terminal.Reply{Raw: []byte(`{"body": {"n": 2}}`)},
	}}
	var stderr bytes.Buffer
	env := &terminal.Env{Stdout: io.Discard, Stderr: &stderr, Dial: func(context.Context) (terminal.Link, error) { return link, nil }}
	env.Server = "ws://user:secret@host:9876/x?token=secret"
	err = terminal.Record(ctx, env, o)
	return stderr.String(), err
}

func TestARecordingHasEveryReplyAndEveryHole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "night.ndjson")
	notes, err := recordAll(t, terminal.RecordOptions{File: name})
	if err != nil || !strings.Contains(notes, "2 replies were recorded to "+name) {
		t.Fatalf("%v, %s", err, notes)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "secret") {
		t.Error("the file has the credential")
	}
	r, err := recording.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for {
		e, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Heard.UnixMicro() != 1795232320123456 {
			t.Errorf("%s was heard at %v", e.Envelope, e.Heard)
		}
		kinds = append(kinds, e.Note.Op)
	}
	if got := strings.Join(kinds, ","); got != ",gap,link,link,dropped," || r.Torn() {
		t.Errorf("the lines are %q, torn: %v", got, r.Torn())
	}
	if r.Header.URL != "ws://host:9876/x" || r.Header.Epoch != "e" {
		t.Errorf("the first line is %+v", r.Header)
	}
}

func TestARecordingThatIsThereIsNotReplaced(t *testing.T) {
	name := filepath.Join(t.TempDir(), "night.ndjson")
	if err := os.WriteFile(name, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := recordAll(t, terminal.RecordOptions{File: name}); terminal.ExitCode(err) != terminal.ExitUsage {
		t.Errorf("the error is %v", err)
	}
	if text, err := os.ReadFile(name); string(text) != "precious" {
		t.Errorf("the file has %q, %v", text, err)
	}
	if _, err := recordAll(t, terminal.RecordOptions{File: name, Force: true}); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(name); !strings.HasPrefix(string(text), `{"clu_ws_recording":1`) {
		t.Errorf("the file has %q, %v", text, err)
	}
}

func TestARecordingOnAFullDiskFails(t *testing.T) {
	if _, err := os.Stat("/dev/full"); errors.Is(err, os.ErrNotExist) {
		t.Log("this system has no /dev/full")
		return
	}
	notes, err := recordAll(t, terminal.RecordOptions{File: "/dev/full", Force: true})
	if err == nil || !strings.Contains(err.Error(), "/dev/full ends too early") || strings.Contains(notes, "recorded to") {
		t.Errorf("the error is %v, the notes are %s", err, notes)
	}
}
