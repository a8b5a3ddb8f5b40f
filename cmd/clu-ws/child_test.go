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

// runAsProgramEnv is the environment variable that makes a test binary run as clu-ws.
const runAsProgramEnv = "TEST_IS_CLU_WS"

// child is clu-ws in a separate process.
type child struct{ *testkit.Process }

// tellsStartEnv makes the program close descriptor 3 as soon as it runs.
const tellsStartEnv = "CLU_WS_TEST_TELLS_START"

// command returns clu-ws as a process to be started: this test binary (see TestMain). Unless told otherwise, a bridge waits
// long for its clients' pongs.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, withTestPoller(args)...)
	cmd.Env = append(os.Environ(), runAsProgramEnv+"=yes", "CLU_WS_PONG_TIMEOUT="+testkit.PongTimeout.String())
	return cmd
}

// withTestPoller adds the flag of the portable poller, if the whole suite is to use it.
func withTestPoller(args []string) []string {
	which := os.Getenv("CLU_WS_TEST_POLLER")
	if which == "" || len(args) == 0 || args[0] != "websocket" {
		return args
	}
	return slices.Insert(slices.Clone(args), 1, "--poller="+which)
}

// spawn starts a bridge without a broker in a process of its own, with additions to
// its environment.
func spawn(t *testing.T, environment []string, args ...string) child {
	t.Helper()
	cmd := command(t, append([]string{"websocket", "-P", "1"}, args...)...)
	cmd.Env = append(cmd.Env, environment...)
	return child{testkit.StartProcess(t, cmd)}
}

func (c child) await(t *testing.T, words string) string {
	t.Helper()
	return c.Output.WaitFor(t, testkit.Patience, words)
}

func (c child) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the end of a process that was told to end.
func (c child) ends(t *testing.T) {
	t.Helper()
	select {
	case <-c.Done():
	case <-time.After(testkit.Patience):
		t.Fatalf("it is still running:\n%s", c.Output)
	}
}

// stop ends it as systemd does, with SIGTERM, after which it drains. It must end without an
// error.
func (c child) stop(t *testing.T) {
	t.Helper()
	c.signal(t, syscall.SIGTERM)
	c.ends(t)
	if err := c.Err(); err != nil {
		t.Fatalf("it ended with %v:\n%s", err, c.Output)
	}
}

// awaitLinked waits until it is linked to its broker. The announcement does not show
// that: on a busy machine it is printed before.
func (c child) awaitLinked(t *testing.T) {
	t.Helper()
	c.await(t, `msg="linked to the broker"`)
}

// announcementLine returns the line that says where it listens.
func (c child) announcementLine(t *testing.T) string {
	t.Helper()
	return c.await(t, releaseVersion+" listens at ")
}

// announcedAddress returns the first address with the scheme in that line.
func (c child) announcedAddress(t *testing.T, scheme string) string {
	t.Helper()
	_, rest, _ := strings.Cut(c.announcementLine(t), scheme)
	address, _, _ := strings.Cut(rest, " ")
	return address
}

// tryConnect connects to a bridge that may refuse to.
func tryConnect(t *testing.T, d ws.Dialer, url string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	conn, err := testkit.OpenWebSocket(ctx, d, url)
	if err == nil {
		t.Cleanup(func() { conn.Close() })
	}
	return err
}

// overUnix returns a dialer of a Unix socket, whatever the URL.
func overUnix(path string) ws.Dialer {
	return ws.Dialer{NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
}

// dialerOf returns a dialer that uses an open connection.
func dialerOf(conn net.Conn) ws.Dialer {
	return ws.Dialer{NetDial: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
}

// mustAnswer sends a ping and waits for its pong.
func mustAnswer(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
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
	client := http.Client{Transport: transport, Timeout: testkit.Patience}
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}
