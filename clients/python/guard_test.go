package python_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/wsclient"
)

// theGuardOfTheDocumentation runs the program of docs/clients.md that closes the dome: in a storm it closes it, and without
// the bridge it says that it does not know the weather.
func theGuardOfTheDocumentation(t *testing.T, python string) {
	text, err := os.ReadFile("../../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## A guard\n")
	_, rest, begun := strings.Cut(section, "```python\n")
	program, _, ended := strings.Cut(rest, "```")
	if !begun || !ended {
		t.Fatal("docs/clients.md has no guard in Python")
	}
	file := filepath.Join(t.TempDir(), "guard.py")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), python, "-m", "mypy", "--strict", "--cache-dir", t.TempDir(), file).CombinedOutput(); err != nil {
		t.Errorf("its types are wrong: %v\n%s", err, out)
	}
	addr, stop := startBridge(t, startObservatory(t), "127.0.0.1:0")
	client, err := wsclient.Dial(t.Context(), wsclient.Config{URL: "ws://" + addr})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	testkit.Eventually(t, testkit.Patience, "there is a storm", func() error { // a command may be late on a busy machine
		_, err := client.Send(t.Context(), "weather", "simulate storm", wsclient.SendOptions{}).Wait(t.Context())
		return err
	})
	cmd := exec.CommandContext(t.Context(), python, "-B", file, "ws://"+addr)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for _, want := range []string{"guard: the weather is not safe: the dome is closed", "guard: it is not known now whether the weather is safe"} {
		more := lines.Scan()
		for more && strings.HasPrefix(lines.Text(), "guard: the dome DID NOT CLOSE, as far as is known: unknown") {
			more = lines.Scan() // it tries again: as above
		}
		if !more || lines.Text() != want {
			t.Fatalf("it says %q, want %q", lines.Text(), want)
		}
		stop() // after the first one
	}
	_ = cmd.Process.Kill() // it goes on for ever
	_ = cmd.Wait()
}
