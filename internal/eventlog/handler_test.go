//go:build unix

package eventlog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/eventlog"
)

func TestALineHasItsEvent(t *testing.T) {
	for message, want := range map[string]string{
		"linked to the broker": "link_up",
		"the broker removes messages from the queue before they are delivered: a policy": "messages_removed",
		"http: TLS handshake error from 192.0.2.1:1: EOF":                                "other",
	} {
		var text, asJSON bytes.Buffer
		eventlog.New(&text, eventlog.Options{}).With("name", "a").Warn(message, "count", 1)
		eventlog.New(&asJSON, eventlog.Options{Format: eventlog.JSON}).With("name", "a").Warn(message, "error", errors.New("broken"), "for", 1700*time.Millisecond)
		if !regexp.MustCompile(`^time=\S+ level=WARN msg=".*" name=a count=1 event=`+want+"\n$").MatchString(text.String()) && want != "link_up" {
			t.Errorf("the line is %s", &text)
		}
		var line struct{ Time, Level, Msg, Name, Error, Event, For string }
		if err := json.Unmarshal(asJSON.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.Event != want || line.Msg != message || line.Error != "broken" || line.Name != "a" || line.Level != "WARN" || line.For != "1.7s" || line.Time == "" {
			t.Errorf("the line is %s", &asJSON)
		}
	}
}

// journald adds the time itself, and takes the priority off the line.
func TestALineInTheJournalHasItsPriorityAndNoTime(t *testing.T) {
	var out bytes.Buffer
	log := eventlog.New(&out, eventlog.Options{Level: slog.LevelDebug, Journal: true}).With("a", 1).WithGroup("g")
	log.Debug("client gone")
	log.Info("client gone")
	log.Warn("client gone")
	log.Error("client gone")
	want := ""
	for i, level := range []string{"DEBUG", "INFO", "WARN", "ERROR"} {
		want += fmt.Sprintf("<%d>level=%s msg=\"client gone\" a=1 g.event=broker_client_gone\n", []int{7, 6, 4, 3}[i], level)
	}
	if out.String() != want {
		t.Errorf("the journal gets\n%swant\n%s", &out, want)
	}
	out.Reset()
	eventlog.New(&out, eventlog.Options{Format: eventlog.JSON, Journal: true}).Error("client gone")
	if !regexp.MustCompile(`^<3>\{"time":".*","level":"ERROR",.*\}\n$`).MatchString(out.String()) {
		t.Errorf("the journal gets %s", &out)
	}
}

func TestTheJournalIsRecognizedByItsInode(t *testing.T) {
	dir := t.TempDir()
	var files [2]*os.File
	for i := range files {
		f, err := os.Create(filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	info, err := files[0].Stat()
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	t.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", stat.Dev, stat.Ino))
	if !eventlog.IsJournal(files[0]) || eventlog.IsJournal(files[1]) {
		t.Error("the file that the variable names is not recognized, or another one is")
	}
	t.Setenv("JOURNAL_STREAM", "")
	if eventlog.IsJournal(files[0]) {
		t.Error("without the variable there is no journal")
	}
}

func TestTheLineAboutDroppedLinesHasTheFormatOfTheLog(t *testing.T) {
	w := &droppingWriter{}
	eventlog.New(w, eventlog.Options{Format: eventlog.JSON})
	var line struct {
		Msg, Event string
		Count      int
	}
	if err := json.Unmarshal(w.line(7), &line); err != nil {
		t.Fatal(err)
	}
	if line.Event != "log_dropped" || line.Count != 7 || line.Msg == "" {
		t.Errorf("the line is %+v", line)
	}
}

type droppingWriter struct {
	bytes.Buffer
	line func(int) []byte
}

func (w *droppingWriter) OnDropped(line func(int) []byte) { w.line = line }

func TestAnUnknownFormatIsRefused(t *testing.T) {
	if _, err := eventlog.ParseFormat("xml"); err == nil || err.Error() != `"xml" is not a format of the log; choose text or json` {
		t.Errorf("the error is %v", err)
	}
}
