package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// logSink is a reader of the log that takes nothing while it is shut.
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

func TestTheLogComesWholeAndInOrder(t *testing.T) {
	var r logSink
	l, want := newLogWriter(&r), ""
	for n := range 10_000 {
		line := fmt.Sprintf("line %d\n", n)
		want += line
		if _, err := l.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	l.flush(patience)
	if got := r.text.String(); got != want {
		t.Errorf("of %d bytes %d came", len(want), len(got))
	}
	l.flush(0) // nothing waits
}

func TestALogThatNobodyTakesHoldsNobodyUpAndSaysWhatIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &logSink{shut: make(chan struct{})}
		l := newLogWriter(r)
		line := []byte(strings.Repeat("x", 1023) + "\n")
		_, _ = l.Write(line)
		synctest.Wait() // that one is being written
		const lines = maxPendingLog/1024 + 7
		for range lines {
			if n, err := l.Write(line); n != len(line) || err != nil {
				t.Fatalf("%d of %d are taken, %v", n, len(line), err)
			}
		}
		began := time.Now()
		l.flush(time.Second)
		if took := time.Since(began); took != time.Second {
			t.Errorf("it waits %v for who takes nothing", took)
		}
		close(r.shut)
		l.flush(time.Minute)
		text := r.text.String()
		if got := strings.Count(text, string(line)); got != lines+1-7 {
			t.Errorf("%d lines came", got)
		}
		if !strings.HasSuffix(text, "left out: nobody took them\" count=7\n") {
			t.Errorf("the end is %q", text[len(text)-100:])
		}
	})
}
