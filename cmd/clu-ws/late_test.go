package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/terminal"
)

// On a busy machine, a bridge or a broker may stand still for longer than a command may take to be sent and confirmed, 0.9 s.
// Its sender is told then that it is not sent, or may not be, which is as it should be: a test sends it again, if it may be
// done twice.

// errLate is why a command is sent again.
var errLate = errors.New("it was late")

// isLate reports whether an error of a bridge says that a command was late.
func isLate(answer string) bool {
	answer = strings.ReplaceAll(answer, `": "`, `":"`)
	return strings.Contains(answer, `"code":"unknown"`) || strings.Contains(answer, `"code":"expired"`)
}

// inTime calls what sends a command, until that is not late, and returns its answer.
func inTime(t *testing.T, send func() (answer string)) (answer string) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "a command is sent in time", func() error {
		if answer = send(); isLate(answer) {
			return fmt.Errorf("%w: %s", errLate, answer)
		}
		return nil
	})
	return answer
}

// isLateSend reports whether clu-ws send has ended with a code because its command was late.
func isLateSend(args []string, code int, notes string) bool {
	if args[0] != "send" {
		return false
	}
	return code == terminal.ExitUnknown || code == terminal.ExitNotSent && (strings.Contains(notes, "not sent: it took ") ||
		slices.ContainsFunc([]string{"the bridge stood still for", "it waited at the bridge for", "it expired "}, func(why string) bool {
			return strings.Contains(notes, "The command was not sent: "+why)
		}))
}

// sendsUntilOneArrives sends commands until one arrives at its actor. The name is that of no other command.
func sendsUntilOneArrives(t *testing.T, conn net.Conn, e *recordingClient, arrived func() map[string]int, name string) {
	t.Helper()
	id := ""
	testkit.Eventually(t, testkit.Patience, "a command arrives", func() error {
		if id != "" && arrived()[id] > 0 {
			return nil
		}
		if id == "" || len(e.messagesWith(fmt.Sprintf("%q", id))) > 0 {
			id += name
			mustSend(t, conn, fmt.Sprintf(`{"consumer": "echo", "command_string": "x", "command_id": %q}`, id))
		}
		return fmt.Errorf("the actor has %v, and the sender received %q", arrived(), e.messagesWith(fmt.Sprintf("%q", id)))
	})
}
