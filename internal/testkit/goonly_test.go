package testkit

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// outcome is a test that notes how it ended.
type outcome struct {
	*testing.T
	skipped, failed string
}

func (o *outcome) Helper() {}
func (o *outcome) Skipf(format string, args ...any) {
	o.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
func (o *outcome) Fatalf(format string, args ...any) {
	o.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func outcomeOf(t *testing.T, test func(t testing.TB)) *outcome {
	o := &outcome{T: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(o)
	}()
	<-done
	return o
}

func TestWhatNeedsMoreThanGoIsLeftOutButNeverOnCI(t *testing.T) {
	providers := map[string]func(testing.TB){
		"Autobahn":      func(t testing.TB) { Autobahn(t) },
		"Chromium":      func(t testing.TB) { Browser(t) },
		"CLU":           func(t testing.TB) { CLU(t) },
		"Qpid Broker-J": func(t testing.TB) { StartQpid(t) },
		"RabbitMQ":      func(t testing.TB) { RabbitMQ(t) },
		"node":          func(t testing.TB) { NodeJS(t) },
		"wscat":         func(t testing.TB) { Wscat(t) },
	}
	t.Setenv(GoOnlyVariable, "true")
	for what, provide := range providers {
		t.Setenv("CI", "")
		if o := outcomeOf(t, provide); o.skipped != LeftOutMark+" "+what || o.failed != "" {
			t.Errorf("%s: skipped %q, failed %q", what, o.skipped, o.failed)
		}
		t.Setenv("CI", "true")
		if o := outcomeOf(t, provide); o.skipped != "" || !strings.Contains(o.failed, "CI") {
			t.Errorf("%s on CI: skipped %q, failed %q", what, o.skipped, o.failed)
		}
	}
	t.Setenv("CI", "")
	for _, start := range []func(testing.TB){
		func(t testing.TB) { StartRabbitMQ(t) },
		func(t testing.TB) { StartCluster(t, 2) },
	} {
		if o := outcomeOf(t, start); o.skipped != LeftOutMark+" RabbitMQ" {
			t.Errorf("skipped %q, failed %q", o.skipped, o.failed)
		}
	}
	t.Setenv(GoOnlyVariable, "")
	if o := outcomeOf(t, func(t testing.TB) { need(t, "anything") }); o.skipped != "" || o.failed != "" {
		t.Errorf("without the variable: skipped %q, failed %q", o.skipped, o.failed)
	}
}
