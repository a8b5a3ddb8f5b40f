package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/conformance/chaos"
	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/terminal"
)

// The terminal goes through the chaos with a process for each subscription (listen) and for each command (send).
func TestTheTerminalLosesNothingInChaos(t *testing.T) {
	testkit.RabbitMQ(t) // started before the clock of the faults
	for name, play := range map[string]func(*testing.T, *conformance.Driver, uint64){"a broker": chaos.Run, "a stream": chaos.RunOnStream} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			self := command(t)
			d, err := conformance.InProcess(func(calls io.Reader, events io.Writer) error {
				c := &processes{self: self, events: json.NewEncoder(events), listens: map[any]*exec.Cmd{}}
				return c.drive(calls)
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			})
			play(t, d, 5)
		})
	}
}

// processes is a driver: see conformance/README.md.
type processes struct {
	self  *exec.Cmd // clu-ws
	flags []string  // of every subcommand

	ctx     context.Context
	running sync.WaitGroup

	mu      sync.Mutex // guards the following fields
	events  *json.Encoder
	listens map[any]*exec.Cmd
}

func (c *processes) event(m conformance.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.events.Encode(m) // nobody reads on once the test has ended
}

// drive makes the calls, until they end.
func (c *processes) drive(calls io.Reader) error {
	var kill context.CancelFunc
	c.ctx, kill = context.WithCancel(context.Background())
	defer c.running.Wait()
	defer kill()
	c.event(conformance.Message{"event": "ready", "client": "clu-ws", "without": []string{chaos.LateEnds}})
	for lines := bufio.NewScanner(calls); lines.Scan(); {
		m, err := conformance.Parse(lines.Bytes())
		if err != nil {
			return err
		}
		switch m["call"] {
		case "connect":
			c.flags = []string{"--url", fmt.Sprint(m["url"]), "--silence", fmt.Sprintf("%vms", m["silence_ms"])}
		case "subscribe":
			filter, _ := json.Marshal(m["filter"]) // it was JSON
			err = c.listen(m["as"], string(filter))
		case "send":
			err = c.send(m)
		case "close":
			c.interrupt()
			c.running.Wait()
			c.event(conformance.Message{"event": "closed"})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// interrupt ends the subscriptions.
func (c *processes) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, listen := range c.listens {
		_ = listen.Process.Signal(syscall.SIGINT) // it may have ended
	}
}

// start runs a subcommand, and calls line with each line of both its outputs, in their order, and ended with its exit code.
func (c *processes) start(args []string, line func(string), ended func(code int)) (*exec.Cmd, error) {
	cmd := exec.CommandContext(c.ctx, c.self.Path, append(args, c.flags...)...)
	cmd.Env = c.self.Env
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	runs, closes, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer runs.Close()
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = in, in, []*os.File{closes}
	cmd.Env = append(cmd.Env, tellsStartEnv+"=yes")
	err = cmd.Start()
	closes.Close()
	if err != nil {
		return nil, err
	}
	in.Close()
	_, _ = runs.Read(make([]byte, 1)) // until it runs: its times count from then
	c.running.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			line(lines.Text())
		}
		out.Close()
		_ = cmd.Wait() // its code says all
		ended(cmd.ProcessState.ExitCode())
	})
	return cmd, nil
}

// listen subscribes. A program that found no bridge is started again: it has printed nothing.
func (c *processes) listen(on any, filter string) error {
	last := ""
	listen, err := c.start([]string{"listen", "--json", "--filter", filter}, func(line string) {
		last = line
		reply, err := conformance.Parse([]byte(line))
		switch {
		case err == nil:
			c.event(conformance.Message{"event": "reply", "on": on, "body": reply["body"]})
		case strings.Contains(line, "may be missing here"):
			c.event(conformance.Message{"event": "gap", "on": on, "text": line})
		case strings.Contains(line, "were left out"):
			c.event(conformance.Message{"event": "dropped", "on": on, "text": line})
		}
	}, func(code int) {
		var err error
		if code == terminal.ExitNotSent && strings.Contains(last, "there is no bridge") {
			err = c.listen(on, filter)
		}
		if err != nil || code != terminal.ExitNotSent && code != terminal.ExitInterrupted {
			c.event(conformance.Message{"event": "broken", "on": on, "code": code, "text": last})
		}
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listens[on] = listen
	return err
}

// endOf says what an exit code of send is for a command.
var endOf = map[int]string{
	terminal.ExitDone: "done", terminal.ExitFailed: "failed", terminal.ExitNotSent: "rejected", terminal.ExitUnknown: "unknown",
}

func (c *processes) send(m conformance.Message) error {
	as := m["as"]
	args := []string{"send", "--id", fmt.Sprint(m["command_id"])}
	if ms, ok := m["expires_ms"]; ok {
		args = append(args, "--expires", fmt.Sprintf("%vms", ms))
	}
	told := make(chan struct{}) // that it is sent
	defer close(told)
	_, err := c.start(append(args, fmt.Sprint(m["consumer"]), fmt.Sprint(m["command_string"])), func(string) {}, func(code int) {
		<-told
		state := endOf[code]
		if state == "" {
			state = fmt.Sprint("code ", code)
		}
		c.event(conformance.Message{"event": "command", "as": as, "state": state})
	})
	c.event(conformance.Message{"event": "command", "as": as, "state": "sent"})
	return err
}
