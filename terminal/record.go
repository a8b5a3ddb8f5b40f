package terminal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"

	"github.com/clu-ws/clu-ws/terminal/recording"
)

// RecordOptions says what to record.
type RecordOptions struct {
	ListenOptions        // which replies; its Wait ends the recording
	File          string // which is made; "-" is the standard output
	Force         bool   // a file that is there is replaced
}

// Record writes replies to a file until the context ends, which is no error.
func Record(ctx context.Context, e *Env, o RecordOptions) error {
	o.Internal = true // what is replayed is to be what was
	if err := o.check(); err != nil {
		return err
	}
	if o.File == "" {
		return Usage("name the file to record to, such as night.ndjson")
	}
	link, err := e.dial(ctx)
	if err != nil {
		return err
	}
	defer link.Close()
	e.noteFresh(o.Since)
	selections, err := o.selectionsOn(ctx, link)
	if err != nil {
		return err
	}
	missing, err := beginBefore(ctx, link, selections, o.Since)
	if err != nil {
		return err
	}
	if o.Wait > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, o.Wait)
		defer stop()
	}
	file, err := e.createRecording(o)
	if err != nil {
		return err
	}
	err = record(ctx, e, link, selections, missing, file, o)
	if o.File != "-" {
		err = errors.Join(err, file.Close())
	}
	return err
}

// createRecording makes the file. One that is there stays as it is, unless that is asked for.
func (e *Env) createRecording(o RecordOptions) (*os.File, error) {
	if o.File == "-" {
		if f, ok := e.Stdout.(*os.File); ok {
			return f, nil
		}
		return nil, Usage("the standard output is no file")
	}
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if o.Force {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(o.File, how, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, Usage("%s is there already; choose another name, or replace it by --force", o.File)
	}
	return file, err
}

func record(ctx context.Context, e *Env, link Link, selections []Selection, missing *Gap, file *os.File, o RecordOptions) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	toDisk := file.Sync
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		toDisk = nil // a pipe has no disk
	}
	hello := link.Hello()
	w, err := recording.NewWriter(file, toDisk, func(err error) { fail(err) }, recording.Header{
		URL: withoutCredential(e.Server), Bridge: hello.Name, BridgeVersion: hello.Version, Epoch: hello.Epoch, Start: link.Now().UTC(),
	})
	if err != nil {
		return fmt.Errorf("nothing was recorded: %w", err)
	}
	if missing != nil {
		if !e.Fresh { // which was told
			e.noteEvent(*missing)
		}
		_ = recordEvent(w, *missing, link.Now()) // Close returns the error
	}
	replies := 0
	err = link.Listen(ctx, selections, func(event Event) error {
		if r, ok := event.(*Reply); ok {
			replies++
			heard := r.Heard
			if heard.IsZero() {
				heard = link.Now()
			}
			if err := w.Reply(r.Raw, heard, !r.Heard.IsZero()); err != nil || replies == o.Count {
				return errors.Join(err, errEnough)
			}
			return nil
		}
		e.noteEvent(event)
		return recordEvent(w, event, link.Now())
	})
	failed := w.Close()
	if failed != nil {
		return fmt.Errorf("%s ends too early: %w", o.File, failed)
	}
	e.note("%d replies were recorded to %s", replies, o.File)
	if ctx.Err() != nil || errors.Is(err, errEnough) { // Ctrl-C is how a recording ends
		return nil
	}
	return orInterrupted(ctx, err)
}

// recordEvent writes what happened besides replies.
func recordEvent(w *recording.Writer, event Event, now time.Time) error {
	n := recording.Note{Heard: now.UnixMicro()}
	switch event := event.(type) {
	case Gap:
		n.Op, n.Seconds, n.Reason = recording.OpGap, event.Seconds, event.Reason
	case Dropped:
		n.Op, n.Count = recording.OpDropped, event.Count
	case LinkState:
		n.Op, n.Up, n.Reason = recording.OpLink, &event.Up, event.Reason
	default:
		return nil
	}
	return w.Note(n)
}

// withoutCredential returns a URL without what may be secret.
func withoutCredential(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
