package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A bridge is suspended, as with its machine. Commands that clients send meanwhile, in
// whatever form, are not sent when it resumes, and each sender is told.
func TestCommandsThatWaitedDuringAStallAreNotSent(t *testing.T) {
	t.Parallel()
	t.Run("embedded broker", func(t *testing.T) {
		t.Parallel()
		p, url := withBroker(t)
		suspendAndResume(t, p, url, nil, 8*time.Second)
	})
	t.Run("TLS", func(t *testing.T) {
		t.Parallel()
		certificates := testkit.NewCertificates(t)
		p, url := withBroker(t, "--tls-cert", certificates.ServerCert, "--tls-key", certificates.ServerKey)
		suspendAndResume(t, p, url, certificates.ClientConfig(t), 6*time.Second)
	})
	t.Run("RabbitMQ", func(t *testing.T) {
		t.Parallel()
		url := testkit.RabbitMQ(t).NewVHost(t)
		suspendAndResume(t, spawnAt(t, url, "--port", "0", "--admin", "127.0.0.1:0"), url, nil, 3*time.Second)
	})
}

// withBroker starts a bridge and its embedded broker in a process.
func withBroker(t *testing.T, args ...string) (p child, url string) {
	t.Helper()
	port := fmt.Sprint(testkit.FreePort(t))
	cmd := command(t, append([]string{"websocket", "--host", "127.0.0.1", "--port", "0", "--admin", "127.0.0.1:0", "--embedded-broker", "-P", port}, args...)...)
	return child{testkit.StartProcess(t, cmd)}, "amqp://guest:guest@127.0.0.1:" + port + "/"
}

func suspendAndResume(t *testing.T, p child, url string, secure *tls.Config, stall time.Duration) {
	t.Helper()
	scheme := "ws://"
	if secure != nil {
		scheme = "wss://"
	}
	clu, newer := ws.Dialer{TLSConfig: secure}, v1()
	newer.TLSConfig = secure
	p.awaitLinked(t)
	arrived := echo(t, url)
	address, admin := scheme+p.announcedAddress(t, scheme), p.admin(t)
	plain, plainConn := startRecording(t, "plain", clu, address)
	session, sessionConn := startRecording(t, "v1", newer, address)
	leaves, leavesConn := startRecording(t, "a client that closes", clu, address)
	sendsUntilOneArrives(t, plainConn, plain, arrived, "before")

	p.freeze(t)
	mustSend(t, plainConn, `{"consumer": "echo", "command_string": "x", "command_id": "plain"}`)
	mustSend(t, sessionConn, `{"consumer": "echo", "command_string": "x", "command_id": "v1"}`)
	mustSend(t, sessionConn, `{"op": "command", "id": "t", "consumer": "echo", "command_string": "x", "command_id": "tracked", "timeout_ms": 1000}`)
	mustSend(t, leavesConn, `{"consumer": "echo", "command_string": "x", "command_id": "left behind"}`)
	leavesConn.Close()
	posted, wrote := make(chan string, 1), make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(wrote) }})
	go func() { posted <- postCommandWith(ctx, admin, "echo", "x", "http") }()
	testkit.Await(t, wrote)
	<-time.After(stall) // the length of the stall is what is tested
	p.signal(t, syscall.SIGCONT)

	leaves.running.Wait()
	for id, e := range map[string]*recordingClient{"plain": plain, "v1": session, "tracked": session} {
		testkit.Eventually(t, testkit.Patience, "the sender of "+id+" is told", func() error {
			for _, message := range e.messagesWith(fmt.Sprintf("%q", id)) {
				if strings.Contains(message, "was not sent: the bridge stood still for ") {
					return nil
				}
			}
			return fmt.Errorf("it has received %q", e.messagesWith(id))
		})
	}
	if got := <-posted; !strings.HasPrefix(got, "503 ") || !strings.Contains(got, "stood still for ") {
		t.Errorf("the response over HTTP is %s", got)
	}
	for conn, e := range map[net.Conn]*recordingClient{plainConn: plain, sessionConn: session} {
		// A command that the bridge reads together with those that waited may be refused as late, too.
		sendsUntilOneArrives(t, conn, e, arrived, "after "+conn.LocalAddr().String())
	}
	for _, id := range []string{"plain", "v1", "tracked", "left behind", "http"} {
		if arrived()[id] > 0 {
			t.Errorf("%s ran %v late", id, stall)
		}
	}
}

// freeze suspends the process, and waits until each of its threads is stopped.
func (c child) freeze(t *testing.T) {
	t.Helper()
	c.signal(t, syscall.SIGSTOP)
	testkit.Eventually(t, testkit.Patience, "the process is stopped", func() error {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", c.Pid()))
		if err != nil || len(threads) == 0 {
			return fmt.Errorf("it has %d threads, %v", len(threads), err)
		}
		for _, name := range threads {
			stat, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if _, state, _ := bytes.Cut(stat, []byte(") ")); !bytes.HasPrefix(state, []byte("T")) {
				return fmt.Errorf("a thread goes on: %.80s", stat)
			}
		}
		return nil
	})
}
