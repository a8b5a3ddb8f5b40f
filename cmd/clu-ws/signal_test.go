package main

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// asProgram makes the test binary be the program, main and all.
const asProgram = "TEST_BINARY_IS_CLU_WS"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	testkit.Main(m)
}

// process runs the program in a process of its own, and gives a client of it.
func process(t *testing.T) (*testkit.Process, net.Conn) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "websocket", "--host", "127.0.0.1", "--port", "0", "--embedded-broker", "--rabbitmq-port", "0")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	p := testkit.StartProcess(t, cmd)
	_, rest, _ := strings.Cut(p.Output.WaitFor(t, patience, "listens at"), "http://")
	address, _, _ := strings.Cut(rest, " ")
	client, _, _, err := ws.Dial(t.Context(), "ws://"+address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return p, client
}

func terminate(t *testing.T, p *testkit.Process) {
	t.Helper()
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

func TestASignalSaysGoodbyeToClientsAndEndsWell(t *testing.T) {
	p, client := process(t)
	terminate(t, p)
	_, err := wsutil.ReadServerText(client)
	if closed, ok := errors.AsType[wsutil.ClosedError](err); !ok || closed.Code != ws.StatusGoingAway {
		t.Errorf("the client hears %v, want 1001", err)
	}
	client.Close()
	if err := p.Err(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Output)
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	p, client := process(t)
	terminate(t, p)
	// The goodbye has come, and is not answered: the first signal is waiting.
	if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	// What the first signal did is undone a moment after it: one of these is the second.
	testkit.Eventually(t, patience, "a second signal", func() error {
		_ = p.Signal(syscall.SIGTERM)
		select {
		case <-p.Done():
			return nil
		default:
			return errors.New("it goes on")
		}
	})
	exit, ok := errors.AsType[*exec.ExitError](p.Err())
	if !ok {
		t.Fatalf("it ended with %v", p.Err())
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", exit)
	}
}
