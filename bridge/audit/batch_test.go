package audit

import (
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// scriptedSink notes each write, and ends some in the middle.
type scriptedSink struct {
	single bool
	writes []string
	cut    map[int]int // bytes that are written, by the number of the write
}

func (s *scriptedSink) joins() bool  { return !s.single }
func (s *scriptedSink) torn() bool   { return false }
func (s *scriptedSink) Close() error { return nil }

func (s *scriptedSink) Write(p []byte) (int, error) {
	n, failed := s.cut[len(s.writes)]
	s.writes = append(s.writes, string(p))
	if failed {
		return n, syscall.ENOSPC
	}
	return len(p), nil
}

// rowOf returns a row of a length.
func rowOf(length int) row { return row{text: []byte(strings.Repeat("x", length-1) + "\n")} }

func TestRowsAreWrittenTogetherUpToABoundOrOneByOne(t *testing.T) {
	sizes := func(s *scriptedSink) (all []int) {
		for _, w := range s.writes {
			all = append(all, len(w))
		}
		return all
	}
	for _, c := range []struct {
		single bool
		rows   []int
		want   []int
	}{
		{false, []int{maxWrite / 2, maxWrite / 2, 1}, []int{maxWrite, 1}},
		{false, []int{maxWrite, 1, 2}, []int{maxWrite, 3}},
		{false, []int{2 * maxWrite, maxWrite - 1, 1}, []int{2 * maxWrite, maxWrite}},
		{true, []int{1, 2, 3}, []int{1, 2, 3}},
	} {
		s := &scriptedSink{single: c.single}
		l, _ := logTo(s, false, maxPending)
		var rows []row
		for _, length := range c.rows {
			rows = append(rows, rowOf(length))
		}
		written, lost := l.writeRows(rows)
		if got := sizes(s); written != uint64(len(c.rows)) || lost != 0 || len(got) != len(c.want) {
			t.Errorf("rows of %v are written as %v", c.rows, got)
			continue
		}
		for i, want := range c.want {
			if got := sizes(s)[i]; got != want {
				t.Errorf("rows of %v are written as %v", c.rows, sizes(s))
			}
		}
	}
}

func TestTheCountOfLostRowsIsWrittenAgainIfItWasCut(t *testing.T) {
	for cut, begins := range map[int]string{0: "x", 5: "\nx"} {
		s := &scriptedSink{cut: map[int]int{0: 0, 2: cut}}
		l, _ := logTo(s, false, maxPending)
		for range 3 { // the first is lost; the count of that after the second is cut
			l.writeRows([]row{rowOf(9)})
		}
		if len(s.writes) != 5 || !strings.HasPrefix(s.writes[3], begins) || !strings.Contains(s.writes[2], `"count":1`) || !strings.Contains(s.writes[4], `"count":1`) {
			t.Errorf("cut after %d bytes, the writes are %q", cut, s.writes)
		}
	}
}

func TestOtherEventsLeaveRoomForCommandsThatMustBeRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		length := len(encode(time.Now(), "reloaded", Reloaded{}))
		command := len(encode(time.Now(), "command", dome))
		s := &testSink{room: -1, shut: make(chan struct{})}
		l, _ := logTo(s, true, 4*command)
		l.Reloaded(Reloaded{})
		synctest.Wait() // that one is being written
		for range 100 {
			l.Reloaded(Reloaded{})
		}
		got := newOutcome()
		if fits := 3 * command / length; l.Stats().Pending != fits*length {
			t.Errorf("%d bytes are pending, want %d rows of %d", l.Stats().Pending, fits, length)
		}
		l.Command(dome, got.then)
		close(s.shut)
		if err := <-got.errs; err != nil {
			t.Error(err)
		}
	})
}

func TestAQueueTakesWhatFitsExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		length := len(encode(time.Now(), "reloaded", Reloaded{}))
		s := &testSink{room: -1, shut: make(chan struct{})}
		l, _ := logTo(s, false, 2*length)
		l.Reloaded(Reloaded{})
		synctest.Wait()
		for range 3 {
			l.Reloaded(Reloaded{})
		}
		if got := l.Stats(); got.Pending != 2*length || got.Lost != 1 {
			t.Errorf("the figures are %+v", got)
		}
		close(s.shut)
		l.flush(time.Minute)
	})
}

func TestAtTheBoundNoRefusalIsOnlyCountedAndNoCommandIsCut(t *testing.T) {
	s := &testSink{room: -1}
	l, _ := logTo(s, false, maxPending)
	for range maxRefusals {
		l.Refused(Refused{CommandString: strings.Repeat("x", maxCut)})
	}
	if err := l.Close(time.Minute); err != nil {
		t.Fatal(err)
	}
	rows := s.rows(t)
	if len(rows) != maxRefusals {
		t.Errorf("%d rows", len(rows))
	}
	for _, r := range rows {
		if r["event"] != "refused" || r["command_bytes"] != nil {
			t.Fatalf("a row is %v", r)
		}
	}
}
