package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/eventlog"
	"github.com/clu-ws/clu-ws/terminal"
)

// A program that reads the log of --log-format json finds an object with an event in each line, up to the error with
// which the bridge ends.
func TestTheLogInJSONHasAnEventInEachLine(t *testing.T) {
	cmd := command(t, "websocket", "-H", "127.0.0.1", "-P", "1", "--host", "127.0.0.1", "--port", "0", "--admin", "0.0.0.0:0", "--fail-fast", "--log-format", "json")
	out := new(strings.Builder)
	cmd.Stderr = out
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != terminal.ExitFailed {
		t.Fatalf("it ended with %v:\n%s", err, out)
	}
	var events []string
	for line := range strings.Lines(out.String()) {
		var object struct{ Time, Level, Msg, Event, Error string }
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if object.Event == "" || object.Event == eventlog.Other || object.Time == "" || object.Level == "" {
			t.Errorf("the line has no event: %s", line)
		}
		events = append(events, object.Event)
		if object.Event == "ended" && !strings.Contains(object.Error, "nothing listens at") {
			t.Errorf("the last line is %s", line)
		}
	}
	if len(events) < 3 || events[len(events)-1] != "ended" || events[0] != "admin_listening" {
		t.Errorf("the events are %s", events)
	}
}
