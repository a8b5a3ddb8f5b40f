package python_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/wsclient"
)

// runsAsDocumented runs the first program of the README and of docs/clients.md. The second one goes on until it is
// interrupted, as by Ctrl-C, after which nothing may be left to complain of.
func runsAsDocumented(t *testing.T, python string) {
	addr, _ := startBridge(t, startObservatory(t), "127.0.0.1:0")
	client, err := wsclient.Dial(t.Context(), wsclient.Config{URL: "ws://" + addr})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.WaitFor(t.Context(), "weather", "wind_speed_ms", func(wsclient.Value) bool { return true }); err != nil {
		t.Fatal(err) // the first program asks for it once
	}
	for _, c := range []struct {
		file, after string // the program is the first one after this line
		wants       []string
		goesOn      bool
	}{
		{"README.md", "", []string{"wind Value(value=", ": {"}, false},
		{"../../docs/clients.md", "\n## Python\n", []string{"{'dome", "wind_speed_ms", "wind_speed_ms"}, true},
	} {
		text, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		_, section, _ := strings.Cut(string(text), c.after)
		_, rest, begun := strings.Cut(section, "```python\n")
		program, _, ended := strings.Cut(rest, "```")
		if !begun || !ended || !strings.Contains(program, "ws://localhost:9876") {
			t.Fatalf("%s has no program in Python for ws://localhost:9876", c.file)
		}
		program = strings.ReplaceAll(program, "ws://localhost:9876", "ws://"+addr)
		testkit.Eventually(t, 2*testkit.Patience, c.file+" has a program whose command is sent in time", func() error {
			return runsAndSays(t, python, program, c.wants, c.goesOn)
		})
	}
}

// runsAndSays runs a program, and expects lines with these texts, in order. It returns an error if the program said that its
// command is in doubt or was not sent: on a busy machine the bridge may stand still for longer than a command may take.
func runsAndSays(t *testing.T, python, program string, wants []string, goesOn bool) (late error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, "-B", "-u", "-X", "dev", "-W", "error", "-c", program)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	interrupted := false
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "unknown ") || strings.HasPrefix(lines.Text(), "rejected ") {
			late = errors.New(lines.Text())
		}
		if len(wants) > 0 && strings.Contains(lines.Text(), wants[0]) {
			wants = wants[1:]
		}
		if len(wants) == 0 && goesOn && !interrupted {
			interrupted = true
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
		}
	}
	err = cmd.Wait()
	if late == nil && strings.Contains(stderr.String(), "CommandError: ") {
		late = errors.New(stderr.String())
	}
	if late != nil {
		return late
	}
	if len(wants) > 0 || goesOn != (err != nil) {
		t.Errorf("it ended with %v without saying %q:\n%s\n%s", err, wants, program, &stderr)
	}
	last := strings.TrimSpace(stderr.String()[strings.LastIndex(strings.TrimSpace(stderr.String()), "\n")+1:])
	if goesOn && (last != "KeyboardInterrupt" || strings.Contains(stderr.String(), "never") || strings.Contains(stderr.String(), "destroyed")) {
		t.Errorf("after the interrupt it says:\n%s", &stderr)
	}
	return nil
}
