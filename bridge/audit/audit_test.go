package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// testSink collects rows. It blocks while it is shut, and fails beyond its room.
type testSink struct {
	mu   sync.Mutex // guards the following fields
	shut chan struct{}
	room int // bytes that it still takes; -1 is any number
	text bytes.Buffer
}

func (s *testSink) joins() bool  { return true }
func (s *testSink) torn() bool   { return false }
func (s *testSink) Close() error { return nil }

func (s *testSink) Write(p []byte) (int, error) {
	s.mu.Lock()
	shut := s.shut
	s.mu.Unlock()
	if shut != nil {
		<-shut
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.room >= 0 && len(p) > s.room {
		p = p[:s.room]
		s.room = 0
		s.text.Write(p)
		return len(p), syscall.ENOSPC
	}
	if s.room > 0 {
		s.room -= len(p)
	}
	return s.text.Write(p)
}

func (s *testSink) setRoom(bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room = bytes
}

func (s *testSink) rows(t *testing.T) []map[string]any {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	return parseRows(t, s.text.String())
}

// parseRows parses all lines that are rows. Others are returned as {"torn": LINE}.
func parseRows(t *testing.T, text string) (rows []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			r = map[string]any{"torn": line}
		}
		rows = append(rows, r)
	}
	return rows
}

// patiently makes commands wait for their rows for as long as a crowded machine may need.
func (l *Log) patiently() { l.cfg.maxWait = testkit.Patience }

// logTo returns a log that writes to a sink, and what is logged of its failures.
func logTo(s sink, required bool, maxPending int) (*Log, *bytes.Buffer) {
	var told bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&told, nil))
	cfg := Config{Required: required, Logger: logger, Now: time.Now, maxPending: maxPending, maxWait: maxWait}
	return &Log{cfg: cfg, sink: s, failures: failureReport{log: logger}}, &told
}

var dome = Command{Who: Who{Name: "ana", Source: "token", Client: "7", Remote: "10.0.0.1:99"},
	Consumer: "dome", CommandString: "open --fast", CommandID: "x1", Rule: "observer: command[0]"}

func TestANilLogRecordsNothingAndHoldsNoCommandBack(t *testing.T) {
	var l *Log
	l.Entered(Entered{})
	l.Refused(Refused{})
	l.Changed(Changed{})
	l.Kicked(Kicked{})
	l.Reloaded(Reloaded{})
	l.CommandEnd(CommandEnd{})
	called := 0
	l.Command(dome, func(err error) {
		if called++; err != nil {
			t.Error(err)
		}
	})
	if called != 1 || l.Required() || l.Stats() != (Stats{}) || l.Reopen() != nil || l.Close(0) != nil {
		t.Error("a nil log does something")
	}
	if n := testing.AllocsPerRun(100, func() { l.Command(dome, func(error) {}); l.Entered(Entered{}) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func TestAFullDiskIsToldInTheLogInTheFiguresAndInTheFile(t *testing.T) {
	s := &testSink{room: 0}
	l, told := logTo(s, false, maxPending)
	for range 3 {
		l.Entered(Entered{})
		l.flush(testkit.Patience)
	}
	if got := l.Stats(); got != (Stats{Lost: 3, Failing: true}) {
		t.Errorf("the figures are %+v", got)
	}
	if n := strings.Count(told.String(), "the audit log cannot be written"); n != 1 || !strings.Contains(told.String(), "no space left") {
		t.Errorf("the log has it %d times:\n%s", n, told)
	}
	s.setRoom(-1)
	l.Entered(Entered{})
	l.flush(testkit.Patience)
	rows := s.rows(t)
	if len(rows) != 2 || rows[0]["event"] != "entered" || rows[1]["event"] != "lost" || rows[1]["count"] != 3.0 {
		t.Errorf("the rows are %v", rows)
	}
	if !strings.Contains(told.String(), "written again") || l.Stats().Failing {
		t.Errorf("the log says:\n%s", told)
	}
}

func TestARowThatWasCutByAFullDiskIsFollowedByAWholeLine(t *testing.T) {
	s := &testSink{room: 10}
	l, _ := logTo(s, false, maxPending)
	l.Entered(Entered{})
	l.flush(testkit.Patience)
	s.setRoom(-1)
	l.Kicked(Kicked{})
	l.flush(testkit.Patience)
	rows := s.rows(t)
	if len(rows) != 3 || rows[0]["torn"] == nil || rows[1]["event"] != "kicked" || rows[2]["event"] != "lost" {
		t.Errorf("the rows are %v", rows)
	}
}

// outcome collects the errors of commands, in their order.
type outcome struct{ errs chan error }

func newOutcome() outcome { return outcome{make(chan error, 1000)} }

func (o outcome) then(err error) { o.errs <- err }

func TestARequiredLogHasEachCommandBeforeItIsSent(t *testing.T) {
	s := &testSink{room: -1}
	l, _ := logTo(s, true, maxPending)
	l.patiently()
	for range 100 {
		ids := make(chan int, 1)
		l.Command(dome, func(err error) {
			if err != nil {
				t.Error(err)
			}
			ids <- strings.Count(s.text.String(), "\n")
		})
		if testkit.Receive(t, ids) == 0 {
			t.Fatal("it may be sent before it is written")
		}
	}
}

func TestARequiredLogRefusesTheCommandsThatDoNotFitOnTheDiskAndNoOthers(t *testing.T) {
	first, second := dome, dome
	second.CommandID = "x2"
	length := len(encode(time.Now(), "command", dome))
	s := &testSink{room: length + 10, shut: make(chan struct{})}
	l, _ := logTo(s, true, maxPending)
	l.patiently()
	got := newOutcome()
	l.Entered(Entered{}) // keeps the writer busy, so that both commands are written at once
	s.setRoom(len(encode(time.Now(), "entered", Entered{})) + length + 10)
	l.Command(first, got.then)
	l.Command(second, got.then)
	close(s.shut)
	if err := testkit.Receive(t, got.errs); err != nil {
		t.Errorf("the first is refused: %v", err)
	}
	if err := testkit.Receive(t, got.errs); !errors.Is(err, errUnwritten) {
		t.Errorf("the second: %v", err)
	}
}

func TestARequiredLogThatIsNotWrittenRefusesInTimeAndDoesNotRecordLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testSink{room: -1, shut: make(chan struct{})}
		l, _ := logTo(s, true, maxPending)
		l.Entered(Entered{})
		synctest.Wait() // that one is being written
		began, got := time.Now(), newOutcome()
		l.Command(dome, got.then)
		if err := <-got.errs; !errors.Is(err, errSlow) || time.Since(began) != maxWait {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		close(s.shut)
		l.flush(time.Minute)
		if rows := s.rows(t); len(rows) != 1 {
			t.Errorf("the rows are %v", rows)
		}
		if len(got.errs) != 0 {
			t.Error("its function is called twice")
		}
	})
}

func TestAFullQueueDropsRowsAndRefusesRequiredCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testSink{room: -1, shut: make(chan struct{})}
		l, told := logTo(s, true, 200)
		l.Entered(Entered{})
		synctest.Wait()
		got := newOutcome()
		for range 20 {
			l.Reloaded(Reloaded{})
		}
		l.Command(dome, got.then)
		if err := <-got.errs; !errors.Is(err, errFull) {
			t.Error(err)
		}
		close(s.shut)
		l.flush(time.Minute)
		l.Reloaded(Reloaded{})
		l.flush(time.Minute)
		rows := s.rows(t)
		lost := 0.0
		for _, r := range rows {
			if r["event"] == "lost" {
				lost += r["count"].(float64)
			}
		}
		if stats := l.Stats(); lost == 0 || uint64(lost) != stats.Lost || int(stats.Written)+1 != len(rows) {
			t.Errorf("the figures are %+v, the rows %v", stats, rows)
		}
		if !strings.Contains(told.String(), "written too slowly") {
			t.Errorf("the log says:\n%s", told)
		}
	})
}
