package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
)

// maxLine is how long an event of a driver may be.
const maxLine = 16 << 20

// Driver is a running driver of a client: it takes calls and prints events.
type Driver struct {
	Client  string   // its name
	Without []string // what the client does not have

	calls  io.WriteCloser
	events chan Message // closed when it ends
	wait   func() error
}

// Process starts a driver as a program of its own. What it writes to standard error is passed on.
func Process(ctx context.Context, argv ...string) (*Driver, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	calls, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	events, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return newDriver(calls, events, cmd.Wait)
}

// InProcess starts a driver that is a function of this program. It returns when the calls end.
func InProcess(run func(calls io.Reader, events io.Writer) error) (*Driver, error) {
	callsOut, calls := io.Pipe()
	events, eventsIn := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(callsOut, eventsIn)
		_ = eventsIn.Close()
		_ = callsOut.Close()
		ended <- err
	}()
	return newDriver(calls, events, func() error { return <-ended })
}

func newDriver(calls io.WriteCloser, events io.Reader, wait func() error) (*Driver, error) {
	d := &Driver{calls: calls, events: make(chan Message, 10_000), wait: wait}
	go func() {
		defer close(d.events)
		lines := bufio.NewScanner(events)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			event, err := Parse(lines.Bytes())
			if err != nil {
				event = Message{"event": "broken", "line": lines.Text(), "error": err.Error()}
			}
			d.events <- event
		}
	}()
	ready := <-d.events
	if ready["event"] != "ready" {
		err := d.Close()
		return nil, fmt.Errorf("the driver is not ready, but says %s (%v)", format(ready), err)
	}
	d.Client, _ = ready["client"].(string)
	without, _ := ready["without"].([]any)
	for _, name := range without {
		d.Without = append(d.Without, fmt.Sprint(name))
	}
	return d, nil
}

// Call sends a call.
func (d *Driver) Call(m Message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = d.calls.Write(append(text, '\n'))
	return err
}

// Events returns what it prints. The channel is closed when it ends.
func (d *Driver) Events() <-chan Message { return d.events }

// Close ends it.
func (d *Driver) Close() error {
	_ = d.calls.Close()
	for range d.events {
	}
	return d.wait()
}

// lacks returns what the client does not have of what a case needs, "" if it has all.
func (d *Driver) lacks(c Case) string {
	for _, name := range c.Needs {
		if slices.Contains(d.Without, name) {
			return name
		}
	}
	return ""
}
