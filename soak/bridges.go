//go:build unix

package soak

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// pings is after which silence the bridge asks a client for a sign of life, and pongs for how long it waits for that.
const (
	pings = 5 * time.Second
	pongs = 15 * time.Second
)

// bridgeProcess is a bridge in a process of its own, on a socket that stays open while it restarts, as one of systemd's.
type bridgeProcess struct {
	t       testing.TB
	program func(args ...string) *exec.Cmd
	name    string
	addr    string // of the clients
	socket  *os.File
	admin   string
	broker  string // its URL by way of the network
	network *testkit.ChaosProxy
	config  string // the file
	edition int    // of the configuration
	wrong   func(format string, args ...any)

	proc    *testkit.Process
	starts  int
	scanned string // the log up to here
	samples []sample
}

func newBridge(t testing.TB, program func(args ...string) *exec.Cmd, name, broker string, wrong func(string, ...any)) *bridgeProcess {
	t.Helper()
	b := &bridgeProcess{t: t, program: program, name: name, wrong: wrong, config: filepath.Join(t.TempDir(), name+".yaml")}
	b.admin = fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	b.addr = ln.Addr().String()
	if b.socket, err = ln.(*net.TCPListener).File(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.socket.Close() })
	u, err := url.Parse(broker)
	if err != nil {
		t.Fatal(err)
	}
	b.network = testkit.StartChaosProxy(t, u.Host, 0)
	b.network.Calm() // it fails on demand only
	u.Host = b.network.Addr
	b.broker = u.String()
	b.configure()
	b.start()
	b.awaitReady()
	return b
}

// configure writes another edition of the configuration.
func (b *bridgeProcess) configure() {
	b.t.Helper()
	b.edition++
	text := fmt.Sprintf("shed-rate: %d\nsite:\n  title: edition %d\n  keywords:\n    weather.slow: {unit: m, description: Slow}\n", 100+b.edition, b.edition)
	written := b.config + ".new"
	err := os.WriteFile(written, []byte(text), 0o600)
	if err == nil {
		err = os.Rename(written, b.config)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// title is what its site is called now.
func (b *bridgeProcess) title() string { return fmt.Sprintf("edition %d", b.edition) }

// start starts a process, which takes the socket over.
func (b *bridgeProcess) start() {
	b.t.Helper()
	program := b.program("websocket", "--config", b.config, "--url", b.broker, "--name", b.name, "--durable", "stream", "--admin", b.admin,
		"--history", "20000", "--history-bytes", "16MiB", "--values-bytes", "8MiB", "--log-commands=false", "--stream-bytes", "200MiB",
		"--ping-after", pings.String(), "--pong-timeout", pongs.String(), "--drain-timeout", "3s")
	// Only the child knows LISTEN_PID, and then becomes the program.
	cmd := exec.Command("sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`, program.Path}, program.Args[1:]...)...)
	cmd.Env = append(program.Env, "LISTEN_FDS=1")
	cmd.ExtraFiles = []*os.File{b.socket}
	b.proc = testkit.StartProcess(b.t, cmd)
	b.starts++
	b.scanned, b.samples = "", nil
}

// stop drains the bridge, as systemd does.
func (b *bridgeProcess) stop() {
	_ = b.proc.Signal(syscall.SIGTERM)
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	select {
	case <-b.proc.Done():
		if err := b.proc.Err(); err != nil {
			b.wrong("bridge %s drained and ended with %v", b.name, err)
		}
	case <-late.C:
		b.wrong("bridge %s has not ended a minute after SIGTERM", b.name)
		b.proc.Kill()
	}
	b.scan()
}

func (b *bridgeProcess) kill() {
	b.proc.Kill()
	b.scan()
}

// signal sends a signal to the process, which must be there.
func (b *bridgeProcess) signal(s syscall.Signal) {
	if err := b.proc.Signal(s); err != nil {
		b.wrong("bridge %s has ended by itself: %v", b.name, b.proc.Err())
	}
}

// scan looks for faults in what the log has since the last time.
func (b *bridgeProcess) scan() {
	log := b.proc.Output.String()
	more, _ := strings.CutPrefix(log, b.scanned) // all of it, if the oldest lines are gone
	b.scanned = log
	for line := range strings.Lines(more) {
		for _, bad := range []string{"panic", "fatal error:", "DATA RACE"} {
			if strings.Contains(line, bad) {
				b.wrong("bridge %s wrote %s", b.name, strings.TrimSpace(line))
			}
		}
	}
}

// get fetches a path of the admin server.
func (b *bridgeProcess) get(path string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.admin+path, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return string(text), err
}

func (b *bridgeProcess) ready() error {
	_, err := b.get("/readyz")
	return err
}

// awaitReady waits until commands get through.
func (b *bridgeProcess) awaitReady() {
	b.t.Helper()
	testkit.Eventually(b.t, outageEnds, "bridge "+b.name+" is ready", b.ready)
}

// metrics returns the values of all metrics without labels, and of those with labels their sum.
func (b *bridgeProcess) metrics() (map[string]float64, error) {
	text, err := b.get("/metrics")
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		name, _, _ := strings.Cut(line[:at], "{")
		number, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, err
		}
		all[name] += number
	}
	if len(all) == 0 {
		return nil, errors.New("there are no metrics")
	}
	return all, nil
}
