package testkit

import (
	"os/exec"
	"testing"
	"time"
)

func TestOutputCanBeWaitedFor(t *testing.T) {
	p := StartProcess(t, exec.Command("sh", "-c", "echo one; echo two >&2; echo three"))
	if got := p.Output.WaitFor(t, Patience, "thr"); got != "three" {
		t.Errorf("got %q", got)
	}
	if err := p.Err(); err != nil {
		t.Error(err)
	}
	if _, err := p.Output.waitFor(Patience, "four"); err == nil {
		t.Error("a line that never came was found")
	}
}

func TestStopEndsAPausedProcess(t *testing.T) {
	p := StartProcess(t, exec.Command("sleep", "1000"))
	if err := p.Signal(pauseSignal); err != nil {
		t.Fatal(err)
	}
	p.Stop(t, 10*time.Second)
}

func TestFreePortsDiffer(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		port := FreePort(t)
		if seen[port] {
			t.Fatalf("port %d was given twice", port)
		}
		seen[port] = true
	}
}
