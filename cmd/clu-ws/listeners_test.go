package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestClientsConnectByPortAndBySocketAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clu-ws.sock")
	t.Setenv("CLU_WS_LISTEN", "127.0.0.1:0,unix:"+path)
	t.Setenv("CLU_WS_SOCKET_MODE", "0600")
	p := start(t, "websocket", "-P", "1")
	line := p.out.await(t, "listens at")
	if !strings.Contains(line, ", unix:"+path+" as ") {
		t.Errorf("it says %q", line)
	}
	byPort := testkit.DialWebSocket(t, "ws://"+p.address(t)+"/")
	mustAnswer(t, byPort)
	bySocket := testkit.DialWebSocketWith(t, overUnix(path), "ws://localhost/")
	mustAnswer(t, bySocket)
	transport := &http.Transport{DialContext: overUnix(path).NetDial}
	if page, err := get(t, transport, "http://localhost/"); err != nil || !strings.Contains(page, "<html") {
		t.Errorf("the page over the socket: %v\n%s", err, page)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v", info.Mode(), err)
	}
	byPort.Close()
	bySocket.Close()
	p.stop()
	p.ended <- <-p.ended // it has ended; start checks the error
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func TestTheSocketOfAKilledBridgeIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clu-ws.sock")
	first := spawn(t, nil, "--listen", "unix:"+path)
	first.await(t, "listens at unix:"+path)
	client := testkit.DialWebSocketWith(t, overUnix(path), "ws://localhost/")

	if got := failure(t, "websocket", "--listen", "unix:"+path); !strings.Contains(got, "another process is listening on "+path) {
		t.Errorf("a second bridge says %s", got)
	}
	mustAnswer(t, client)
	mustAnswer(t, testkit.DialWebSocketWith(t, overUnix(path), "ws://localhost/"))

	first.Kill()
	if _, err := os.Lstat(path); err != nil {
		t.Fatalf("a killed process leaves no socket: %v", err)
	}
	second := spawn(t, nil, "--listen", "unix:"+path)
	second.await(t, "listens at unix:"+path)
	client = testkit.DialWebSocketWith(t, overUnix(path), "ws://localhost/")
	mustAnswer(t, client)
	client.Close()
	second.stop(t)
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// activate starts a bridge as systemd does, and passes it open files.
func activate(t *testing.T, files []*os.File, environment []string, args ...string) child {
	t.Helper()
	program := command(t, append([]string{"websocket", "-P", "1"}, args...)...)
	// Only the child knows LISTEN_PID, and then becomes the program.
	cmd := exec.Command("sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`}, program.Args...)...)
	cmd.Env = append(append(program.Env, fmt.Sprintf("LISTEN_FDS=%d", len(files))), environment...)
	cmd.ExtraFiles = files
	return child{testkit.StartProcess(t, cmd)}
}

// socketFile listens, and returns the socket as a file.
func socketFile(t *testing.T, network, address string) (net.Addr, *os.File) {
	t.Helper()
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	f, err := ln.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return ln.Addr(), f
}

func TestSocketsOfSystemdAreServedAndOutliveTheBridge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clu-ws.sock")
	tcp, tcpFile := socketFile(t, "tcp", "127.0.0.1:0")
	_, unixFile := socketFile(t, "unix", path)
	files := []*os.File{tcpFile, unixFile}

	first := activate(t, files, []string{"LISTEN_FDNAMES=web:proxy"})
	line := first.announcementLine(t)
	if want := fmt.Sprintf("listens at http://%s and ws://%s, unix:%s as ", tcp, tcp, path); !strings.Contains(line, want) {
		t.Errorf("it says %q, want %q", line, want)
	}
	first.await(t, "name=web address="+tcp.String())
	first.await(t, "name=proxy address="+path)
	for _, client := range []net.Conn{
		testkit.DialWebSocket(t, "ws://"+tcp.String()+"/"),
		testkit.DialWebSocketWith(t, overUnix(path), "ws://localhost/"),
	} {
		mustAnswer(t, client)
		client.Close()
	}
	first.stop(t)

	// A client that connects while no bridge runs is served by the next one.
	waiting, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("the socket was closed with the bridge: %v", err)
	}
	defer waiting.Close()
	second := activate(t, files, nil, "--listen", "127.0.0.1:0")
	mustAnswer(t, testkit.DialWebSocketWith(t, dialerOf(waiting), "ws://localhost/"))
	if line := second.announcementLine(t); strings.Count(line, "http://127.0.0.1:") != 2 {
		t.Errorf("--listen is not served beside systemd's socket: %q", line)
	}
}

func TestAWrongFileFromSystemdIsExplained(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	_, socket := socketFile(t, "tcp", "127.0.0.1:0")
	_, open := socketFile(t, "tcp", "0.0.0.0:0")
	for _, c := range []struct {
		file  *os.File
		args  []string
		words string
	}{
		{null, nil, "needs ListenStream="},
		{socket, []string{"--port", "9876"}, "systemd has passed sockets"},
		{socket, []string{"--host", "192.0.2.1"}, "systemd has passed sockets"},
		{open, []string{"--host", "127.0.0.1"}, "ListenStream= of the .socket unit"},
		{open, []string{"--host", "localhost"}, "systemd has passed sockets"},
	} {
		p := activate(t, []*os.File{c.file}, nil, c.args...)
		p.await(t, c.words)
		p.ends(t)
		if p.Err() == nil {
			t.Error("it ended without an error")
		}
	}
}

func TestAHostOrPortThatIsThatOfTheSocketIsNoError(t *testing.T) {
	at, socket := socketFile(t, "tcp", "127.0.0.1:0")
	_, port, err := net.SplitHostPort(at.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--host", "127.0.0.1"}, {"--host", "localhost", "--port", port}, {"--host", "0.0.0.0"}, {"--port", "0"}} {
		p := activate(t, []*os.File{socket}, nil, args...)
		if got := p.announcedAddress(t, "http://"); got != at.String() {
			t.Errorf("with %v it listens at %s", args, got)
		}
		p.stop(t)
	}
}

func TestSocketsForAnotherProcessAreNotServed(t *testing.T) {
	p := spawn(t, []string{"LISTEN_PID=1", "LISTEN_FDS=1"}, "--host", "127.0.0.1", "--port", "0")
	mustAnswer(t, testkit.DialWebSocket(t, "ws://"+p.announcedAddress(t, "http://")+"/"))
}

func TestTwoProcessesShareAPort(t *testing.T) {
	address := "127.0.0.1:" + freePort(t)
	var both []child
	for _, name := range []string{"one", "two"} {
		p := spawn(t, nil, "--reuse-port", "--listen", address, "--name", name, "--admin", "127.0.0.1:0")
		p.await(t, "as "+name)
		both = append(both, p)
	}
	if got := failure(t, "websocket", "--listen", address); !strings.Contains(got, "--reuse-port on both") {
		t.Errorf("a third one that does not share says %s", got)
	}
	// The kernel distributes clients by their ports, at random: they connect until both
	// processes have some.
	clients := map[string]int{}
	for range 200 {
		mustAnswer(t, testkit.DialWebSocket(t, "ws://"+address+"/"))
		for _, p := range both {
			var health struct {
				Name    string
				Clients int
			}
			if err := json.Unmarshal([]byte(p.adminGet(t, "/healthz")), &health); err != nil {
				t.Fatal(err)
			}
			clients[health.Name] = health.Clients
		}
		if clients["one"] > 0 && clients["two"] > 0 {
			return
		}
	}
	t.Errorf("the clients: %v", clients)
}

func TestEveryListenerCountsForTheWarning(t *testing.T) {
	p := start(t, "websocket", "-P", "1", "--listen", "127.0.0.1:0", "--listen", "0.0.0.0:0")
	line := p.log.await(t, "commands are open to everyone")
	if strings.Contains(line, "127.0.0.1:") {
		t.Errorf("it warns of loopback too: %s", line)
	}
}
