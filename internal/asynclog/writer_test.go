package asynclog

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// logSink receives the log, and blocks while it is shut.
type logSink struct {
	shut chan struct{} // nil while it is open
	text bytes.Buffer
}

func (r *logSink) Write(p []byte) (int, error) {
	if r.shut != nil {
		<-r.shut
	}
	return r.text.Write(p)
}

func TestTheLogIsWrittenWholeAndInOrder(t *testing.T) {
	var r logSink
	l, want := New(&r), ""
	for n := range 10_000 {
		line := fmt.Sprintf("line %d\n", n)
		want += line
		if _, err := l.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	l.Flush(time.Minute)
	if got := r.text.String(); got != want {
		t.Errorf("of %d bytes %d were written", len(want), len(got))
	}
	l.Flush(0) // nothing is pending
}

func TestALogThatIsNotReadBlocksNothingAndSaysHowManyLinesWereDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &logSink{shut: make(chan struct{})}
		l := New(r)
		line := []byte(strings.Repeat("x", 1023) + "\n")
		_, _ = l.Write(line)
		synctest.Wait() // that one is being written
		const lines = maxPending/1024 + 7
		for range lines {
			if n, err := l.Write(line); n != len(line) || err != nil {
				t.Fatalf("%d of %d are taken, %v", n, len(line), err)
			}
		}
		began := time.Now()
		l.Flush(time.Second)
		if took := time.Since(began); took != time.Second {
			t.Errorf("Flush took %v", took)
		}
		close(r.shut)
		l.Flush(time.Minute)
		text := r.text.String()
		if got := strings.Count(text, string(line)); got != lines+1-7 {
			t.Errorf("%d lines came", got)
		}
		if !strings.HasSuffix(text, "7 lines of the log were dropped because it was not read\n") {
			t.Errorf("the end is %q", text[len(text)-100:])
		}
	})
}
