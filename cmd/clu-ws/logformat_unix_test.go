//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
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

// As a service, it writes to systemd's journal, which adds the time, and takes the priority off each line.
func TestInTheJournalLinesHaveTheirPriorityAndNotTheirTimeTwice(t *testing.T) {
	journal, err := os.Create(filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	info, err := journal.Stat()
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	cmd := command(t, "websocket", "-H", "127.0.0.1", "-P", "1", "--host", "127.0.0.1", "--port", "0", "--admin", "0.0.0.0:0", "--fail-fast")
	cmd.Env = append(cmd.Env, fmt.Sprintf("JOURNAL_STREAM=%d:%d", stat.Dev, stat.Ino))
	cmd.Stderr = journal
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(journal.Name())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !regexp.MustCompile(`^<[346]>level=(INFO|WARN|ERROR) msg=`).MatchString(line) {
			t.Errorf("the journal gets %s", line)
		}
	}
	for _, want := range []string{"<6>level=INFO", "<4>level=WARN", "<3>level=ERROR msg=\"the bridge has ended with an error\""} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the journal gets no %s:\n%s", want, text)
		}
	}
}
