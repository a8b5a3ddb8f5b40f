package testkit

import (
	"os/exec"
	"strings"
	"testing"
)

func TestWscatPrintsItsVersion(t *testing.T) {
	command := append(Wscat(t), "--version")
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "6.1.0" {
		t.Errorf("got %q, %v", out, err)
	}
}
