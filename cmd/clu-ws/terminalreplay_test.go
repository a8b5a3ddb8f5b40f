package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/terminal/recording"
)

// said is what stays of a reply in a replay.
func said(t *testing.T, envelope []byte) string {
	t.Helper()
	var e struct {
		Headers    json.RawMessage `json:"headers"`
		RoutingKey string          `json:"routing_key"`
		MessageID  string          `json:"message_id"`
		Timestamp  string          `json:"timestamp"`
		Body       json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal(envelope, &e); err != nil {
		t.Fatalf("%v: %s", err, envelope)
	}
	return fmt.Sprintf("%s %s %s %s %s", e.Headers, e.RoutingKey, e.MessageID, e.Timestamp, e.Body)
}

// readRecording returns the replies of a recording.
func readRecording(t *testing.T, name string) (replies []string, torn bool) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := recording.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return replies, r.Torn()
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Envelope != nil {
			replies = append(replies, said(t, e.Envelope))
		}
	}
}

func TestARecordingIsReplayedAsItWas(t *testing.T) {
	demo := startDemo(t)
	wantExit(t, demo, 0, "", "send", "dome", "status", "--quiet") // replies to a command are in it, too
	name := filepath.Join(t.TempDir(), "night.ndjson")
	wantExit(t, demo, 0, "12 replies were recorded to "+name, "record", name, "--since", "1m", "--count", "12")
	recorded, torn := readRecording(t, name)
	if len(recorded) != 12 || torn {
		t.Fatalf("%d replies were recorded, torn: %v", len(recorded), torn)
	}
	p := start(t, "replay", name, "--port", "0", "--speed", "100")
	p.log.await(t, "12 replies were replayed")
	lines := wantExit(t, p.address(t), 0, "", "listen", "--json", "--internal", "--since", "10m", "--count", "12")
	var replayed []string
	for line := range strings.Lines(lines) {
		replayed = append(replayed, said(t, []byte(line)))
	}
	if !slices.Equal(replayed, recorded) {
		t.Errorf("replayed\n%s\nwant\n%s", strings.Join(replayed, "\n"), strings.Join(recorded, "\n"))
	}
}

func TestAKilledRecorderLeavesWholeLines(t *testing.T) {
	demo := startDemo(t)
	name := filepath.Join(t.TempDir(), "night.ndjson")
	p := testkit.StartProcess(t, command(t, "record", "--url", "ws://"+demo, name))
	testkit.Eventually(t, testkit.Patience, "replies are on the disk while it runs", func() error {
		text, err := os.ReadFile(name)
		if err == nil && strings.Count(string(text), "\n") < 5 {
			err = fmt.Errorf("there are %d bytes", len(text))
		}
		return err
	})
	p.Kill()
	testkit.Await(t, p.Done())
	if recorded, _ := readRecording(t, name); len(recorded) < 4 {
		t.Errorf("only %d replies are left", len(recorded))
	}
}

func TestAReplayHasNoOtherBroker(t *testing.T) {
	name := filepath.Join(t.TempDir(), "night.ndjson")
	if err := os.WriteFile(name, []byte(`{"clu_ws_recording": 1}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"replay", "--url", "amqp://observatory", name}, {"replay", name, "--rabbitmq-host", "observatory"},
		{"replay"}, {"replay", name, name}, {"replay", "recording_test.go"}, {"replay", name + ".none"},
	} {
		if err := run(t.Context(), append([]string{"clu-ws"}, args...), io.Discard, io.Discard); err == nil {
			t.Errorf("clu-ws %s is not refused", strings.Join(args, " "))
		}
	}
}
