package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// runAsProgramEnv is set in the environment of a test binary that is to be clu-ws.
const runAsProgramEnv = "TEST_IS_CLU_WS"

// child is clu-ws in a process of its own.
type child struct{ *testkit.Process }

// command is clu-ws, to be started as a process: this test binary, as TestMain has it.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, withTestPoller(args)...)
	cmd.Env = append(os.Environ(), runAsProgramEnv+"=yes")
	return cmd
}

// withTestPoller has a bridge serve as where there is no epoll, if the whole suite is to.
func withTestPoller(args []string) []string {
	which := os.Getenv("CLU_WS_TEST_POLLER")
	if which == "" || len(args) == 0 || args[0] != "websocket" {
		return args
	}
	return slices.Insert(slices.Clone(args), 1, "--poller="+which)
}

// spawn starts a bridge without a broker in a process of its own, with more in
// its environment.
func spawn(t *testing.T, environment []string, args ...string) child {
	t.Helper()
	cmd := command(t, append([]string{"websocket", "-P", "1"}, args...)...)
	cmd.Env = append(cmd.Env, environment...)
	return child{testkit.StartProcess(t, cmd)}
}

func (c child) await(t *testing.T, words string) string {
	t.Helper()
	return c.Output.WaitFor(t, patience, words)
}

func (c child) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the end of a process that was told to.
func (c child) ends(t *testing.T) {
	t.Helper()
	select {
	case <-c.Done():
	case <-time.After(patience):
		t.Fatalf("it goes on:\n%s", c.Output)
	}
}

// stop ends it as systemd does, which waits for the clients that are there. It
// must end without an error.
func (c child) stop(t *testing.T) {
	t.Helper()
	c.signal(t, syscall.SIGTERM)
	c.ends(t)
	if err := c.Err(); err != nil {
		t.Fatalf("it ended with %v:\n%s", err, c.Output)
	}
}

// announcementLine is the line that says where it listens.
func (c child) announcementLine(t *testing.T) string {
	t.Helper()
	return c.await(t, releaseVersion+" listens at ")
}

// announcedAddress is the first address with the scheme in that line.
func (c child) announcedAddress(t *testing.T, scheme string) string {
	t.Helper()
	_, rest, _ := strings.Cut(c.announcementLine(t), scheme)
	address, _, _ := strings.Cut(rest, " ")
	return address
}

// connect opens a WebSocket with the dialer.
func connect(t *testing.T, d ws.Dialer, url string) net.Conn {
	t.Helper()
	conn, err := tryConnect(t, d, url)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func tryConnect(t *testing.T, d ws.Dialer, url string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, br, _, err := d.Dial(ctx, url)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	if br != nil {
		t.Fatal("a bridge without a broker speaks first")
	}
	return conn, nil
}

// overUnix dials a Unix socket, whatever the URL.
func overUnix(path string) ws.Dialer {
	return ws.Dialer{NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
}

// dialerOf uses a connection that is there.
func dialerOf(conn net.Conn) ws.Dialer {
	return ws.Dialer{NetDial: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
}

// mustAnswer sends a ping and waits for its pong.
func mustAnswer(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if err := wsutil.WriteClientText(conn, []byte("ping")); err != nil {
		t.Fatal(err)
	}
	if got, err := wsutil.ReadServerText(conn); err != nil || string(got) != "pong" {
		t.Fatalf("a ping is answered with %q, %v", got, err)
	}
}

// get fetches a page over a connection of its own.
func get(t *testing.T, transport *http.Transport, url string) (string, error) {
	t.Helper()
	transport.DisableKeepAlives = true
	client := http.Client{Transport: transport, Timeout: patience}
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}
