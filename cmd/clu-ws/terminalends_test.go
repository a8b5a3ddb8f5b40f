package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/terminal"
)

// What ends around a subcommand does not end it too early.
func TestAReaderOrATerminalThatGoes(t *testing.T) {
	demo := startDemo(t)
	t.Run("send waits for the end", func(t *testing.T) {
		t.Parallel()
		send := command(t, "send", "--url", "ws://"+demo, "dome", "rotate", "20")
		pipe, err := send.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var notes bytes.Buffer
		send.Stderr = &notes
		if err := send.Start(); err != nil {
			t.Fatal(err)
		}
		defer send.Process.Kill()
		if _, err := pipe.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		pipe.Close()
		if err := send.Wait(); err != nil {
			t.Errorf("it ended with %v and said %q", err, notes.String())
		}
		if azimuth := wantExit(t, demo, 0, "", "get", "dome.dome_az_deg", "--max-age", "any"); azimuth != "20\n" {
			t.Errorf("it ended at %q", azimuth)
		}
	})
	t.Run("a recording is whole", func(t *testing.T) {
		t.Parallel()
		name := filepath.Join(t.TempDir(), "night.ndjson")
		// A child of tests that run under nohup would ignore the signal, too.
		heard := make(chan os.Signal, 1)
		signal.Notify(heard, syscall.SIGHUP)
		defer signal.Stop(heard)
		p := testkit.StartProcess(t, command(t, "record", "--url", "ws://"+demo, name))
		testkit.Eventually(t, testkit.Patience, "it records", func() error {
			text, err := os.ReadFile(name)
			if err == nil && strings.Count(string(text), "\n") < 2 {
				err = fmt.Errorf("there are %d bytes", len(text))
			}
			return err
		})
		if err := p.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		testkit.Await(t, p.Done())
		recorded, torn := readRecording(t, name)
		if want := fmt.Sprintf("%d replies were recorded", len(recorded)); p.Err() != nil || torn || !strings.Contains(p.Output.String(), want) {
			t.Errorf("it ended with %v, torn: %v; it said %q, want %q", p.Err(), torn, p.Output, want)
		}
	})
}

func TestWrongOptionsOfAReplayStartNoBroker(t *testing.T) {
	name := filepath.Join(t.TempDir(), "night.ndjson")
	if err := os.WriteFile(name, []byte(`{"clu_ws_recording": 1}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, flags := range [][]string{{"--speed", "0"}, {"--speed", "-1"}, {"--speed", "NaN"}, {"--from", "x"}, {"--to", "-1s"}} {
		err := run(t.Context(), append([]string{"clu-ws", "replay", name}, flags...), io.Discard, io.Discard)
		if code := terminal.ExitCode(err); code != terminal.ExitUsage {
			t.Errorf("%q ends with %d: %v", flags, code, err)
		}
	}
}

// A subcommand help must not take the place of the flag.
func TestTheProgramHasHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"-h"}, {}, {"send", "--help"}, {"help", "--help"}} {
		if got := output(t, args...); !strings.Contains(got, "USAGE:") {
			t.Errorf("clu-ws %s prints %q", strings.Join(args, " "), got)
		}
	}
}

func TestATimeWithoutItsUnitIsExplained(t *testing.T) {
	for _, args := range [][]string{{"wait", "--timeout", "5", "a.b==1"}, {"wait", "a.b==1", "--timeout", "5"}, {"listen", "--wait=1 minute"}} {
		err := run(t.Context(), append([]string{"clu-ws"}, args...), io.Discard, io.Discard)
		if code := terminal.ExitCode(err); code != terminal.ExitUsage || !strings.Contains(err.Error(), "is not a time; write a number with a unit") {
			t.Errorf("clu-ws %s ends with %d: %v", strings.Join(args, " "), code, err)
		}
	}
}
