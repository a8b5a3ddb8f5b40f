package conformance_test

import (
	"bufio"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/conformance"
)

// faulty is the driver of clu.js with a fault: the functions change the calls that it gets and the events that it prints,
// line by line.
func faulty(t *testing.T, calls, events func(line string) string) *conformance.Driver {
	t.Helper()
	node := driverOfCluJS(t)
	d, err := conformance.InProcess(func(in io.Reader, out io.Writer) error {
		cmd := exec.CommandContext(t.Context(), node[0], node[1:]...)
		stdin, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		passed := make(chan struct{})
		go func() {
			defer close(passed)
			pass(stdout, out, events)
		}()
		pass(in, stdin, calls)
		_ = stdin.Close()
		<-passed
		return cmd.Wait()
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func pass(from io.Reader, to io.Writer, change func(line string) string) {
	for lines := bufio.NewScanner(from); lines.Scan(); {
		if line := change(lines.Text()); line != "" {
			_, _ = io.WriteString(to, line+"\n")
		}
	}
}

func same(line string) string { return line }

// once changes the first line that has a text.
func once(text string, change func(line string) string) func(string) string {
	done := false
	return func(line string) string {
		if done || !strings.Contains(line, text) {
			return line
		}
		done = true
		return change(line)
	}
}

func double(line string) string { return line + "\n" + line }

func TestAClientThatStraysIsCaught(t *testing.T) {
	lost := func(string) string { return "" }
	for _, c := range []struct {
		fault         string
		run           string // the case
		calls, events func(string) string
		want          string // in the error
	}{
		{"no fault", "resume: the network cuts", same, same, ""},
		{"a hole", "resume: the network cuts", same, once(`"seq":44`, lost), `want {"event":"reply","on":"s","seq":44}`},
		{"a hole at the end", "subscribe: replies come", same, once(`"seq":44`, lost), "waited"},
		{"a reply twice", "resume: the network cuts", same, once(`"seq":44`, double), `want {"event":"reply","on":"s","seq":45}`},
		{"the last reply twice", "subscribe: replies come", same, once(`"seq":44`, double), "shows what the case does not have"},
		{"digits are lost", "big integer", same, once("5853498713190525696", func(line string) string {
			return strings.Replace(line, "5853498713190525696", "5853498713190526000", 1)
		}), "want 5853498713190525696"},
		{"a gap is not told", "numbers anew is a gap", same, once(`"gap"`, lost), "waited"},
		{"a command twice", "command: done$", once(`"send"`, double), same, "has sent it again"},
		{"a command has two ends", "command: done$", same, once(`"done"`, func(line string) string {
			return line + "\n" + strings.Replace(line, "done", "failed", 1)
		}), "a command has one end"},
		{"a rejected command counts as unknown", "command: full", same, once(`"rejected"`, func(line string) string {
			return strings.Replace(line, "rejected", "unknown", 1)
		}), "waited"},
		{"a subscription without its filter", "filter selects by sender", once(`"subscribe"`, func(line string) string {
			return strings.Replace(line, `["dome"]`, `["*"]`, 1)
		}), same, `waited`},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			d := faulty(t, c.calls, c.events)
			played, err := conformance.Run(d, conformance.Options{Match: regexp.MustCompile(c.run), Patience: patienceWith(c.want), Out: io.Discard})
			if played != 1 {
				t.Errorf("%d cases were played, want one", played)
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// patienceWith returns how long a step may take: not long where it must come to nothing.
func patienceWith(want string) time.Duration {
	if want == "waited" {
		return 3 * time.Second
	}
	return time.Minute
}
