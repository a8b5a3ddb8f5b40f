package main

import (
	"errors"
	"net"
	"os/exec"
	"syscall"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// process is a bridge in a process of its own, with a client that never answers.
func process(t *testing.T, args ...string) (child, net.Conn) {
	t.Helper()
	p := spawn(t, nil, append([]string{"--host", "127.0.0.1", "--port", "0"}, args...)...)
	return p, testkit.DialWebSocket(t, "ws://"+p.announcedAddress(t, "ws://"))
}

func TestASignalSaysGoodbyeToClientsAndEndsWell(t *testing.T) {
	p, client := process(t)
	p.signal(t, syscall.SIGTERM)
	_, err := wsutil.ReadServerText(client)
	if closed, ok := errors.AsType[wsutil.ClosedError](err); !ok || closed.Code != ws.StatusGoingAway {
		t.Errorf("the client received %v, want 1001", err)
	}
	client.Close()
	if err := p.Err(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Output)
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	p, _ := process(t, "--drain-delay", "1m", "--drain-timeout", "2m")
	p.signal(t, syscall.SIGTERM)
	p.await(t, "stopping; clients are served") // for a minute
	// A moment after the first signal, signals are no longer caught: one of these is the
	// second.
	testkit.Eventually(t, testkit.Patience, "a second signal", func() error {
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
