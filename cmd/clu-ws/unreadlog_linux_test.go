package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The reader of the log stops reading, and each command writes a line to the log.
func TestCommandsContinueWhenTheLogIsNotRead(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	// A test reads the standard error of its processes, so this one logs to another file.
	bridge := command(t, "websocket", "--host", "127.0.0.1", "--port", "0", "--embedded-broker", "-P", fmt.Sprint(testkit.FreePort(t)))
	cmd := exec.Command("sh", append([]string{"-c", `exec "$0" "$@" 2>&3 3>&-`, bridge.Path}, bridge.Args[1:]...)...)
	cmd.Env, cmd.ExtraFiles = bridge.Env, []*os.File{w}
	p := child{testkit.StartProcess(t, cmd)}
	w.Close()
	p.await(t, "listens at")

	sender, conn := startRecording(t, "sender", ws.Dialer{}, "ws://"+p.announcedAddress(t, "ws://"))
	const commands = 100 // more than half of their lines is more than the pipe holds
	for round := range 2 {
		for n := range commands {
			mustSend(t, conn, fmt.Sprintf(`{"consumer": "nobody", "command_string": "x", "command_id": "%d-%d"}`, round, n))
		}
		testkit.Eventually(t, testkit.Patience, "every command has its answer", func() error {
			if answered := len(sender.messagesWith(fmt.Sprintf(`"command_id": "%d-`, round))); answered < commands {
				return fmt.Errorf("%d have", answered)
			}
			return nil
		})
	}

	// Once it is read again, the log continues.
	p.signal(t, syscall.SIGTERM)
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if strings.Contains(lines.Text(), "msg=stopping") {
			return
		}
	}
	t.Error("the log ended before the end")
}
