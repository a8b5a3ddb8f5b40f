package testkit

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// With childEnv set, this test binary is the child, which starts a process of its own.
const childEnv = "CLU_WS_TESTKIT_CHILD"

func TestKilledTestLeavesNoProcess(t *testing.T) {
	if os.Getenv(childEnv) != "" {
		p := StartProcess(t, exec.Command("sleep", "1000"))
		os.Stdout.WriteString("grandchild " + strconv.Itoa(p.Pid()) + "\n")
		<-p.Done() // the parent kills this process long before
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledTestLeavesNoProcess$")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "grandchild ")))
	if err != nil {
		t.Fatalf("the child wrote %q", line)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	Eventually(t, Patience, "the grandchild is gone", func() error {
		if stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil && !strings.Contains(string(stat), ") Z ") {
			return errors.New("it still runs")
		}
		return nil
	})
}
