package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// handshake sends an upgrade request over a connection, and returns the response's status.
func handshake(t *testing.T, conn net.Conn, lines ...string) (status int, body string) {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
	request := append([]string{"GET / HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"}, lines...)
	if _, err := io.WriteString(conn, strings.Join(request, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		body = string(text)
	}
	return resp.StatusCode, body
}

func dialAt(t *testing.T, network, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// pagesWarning is part of the warning that web pages of any origin may send commands.
const pagesWarning = "list the pages that may with --origin"

func TestWhichPagesMayConnectDependsOnTheListener(t *testing.T) {
	socket := t.TempDir() + "/s"
	p := spawn(t, nil, "--listen", "127.0.0.1:0", "--listen", "unix:"+socket)
	local := p.announcedAddress(t, "http://")
	evil, here := []string{"Host: localhost", "Origin: https://evil.example"}, []string{"Host: localhost", "Origin: http://localhost:1"}
	for _, at := range [][2]string{{"tcp", local}, {"unix", socket}} {
		if status, body := handshake(t, dialAt(t, at[0], at[1]), evil...); status != 403 || !strings.Contains(body, "--origin https://evil.example") {
			t.Errorf("%s: a page of another site: %d %s", at, status, body)
		}
		if status, body := handshake(t, dialAt(t, at[0], at[1]), here...); status != 101 {
			t.Errorf("%s: a page of this machine: %d %s", at, status, body)
		}
	}
	p.await(t, `msg="a request was refused" reason=origin`)
	if strings.Contains(p.Output.String(), pagesWarning) {
		t.Error("a bridge on loopback warns of web pages")
	}
	p.stop(t)

	open := spawn(t, nil, "--listen", "0.0.0.0:0", "--listen", "127.0.0.1:0")
	open.await(t, pagesWarning)
	_, port, _ := net.SplitHostPort(open.announcedAddress(t, "http://"))
	if status, body := handshake(t, dialAt(t, "tcp", "127.0.0.1:"+port), evil...); status != 101 {
		t.Errorf("beyond loopback: a page of another site: %d %s", status, body)
	}
	_, rest, _ := strings.Cut(open.announcementLine(t), "http://127.0.0.1:")
	port, _, _ = strings.Cut(rest, " ")
	if status, body := handshake(t, dialAt(t, "tcp", "127.0.0.1:"+port), evil...); status != 403 {
		t.Errorf("at its listener on loopback: a page of another site: %d %s", status, body)
	}
	open.stop(t)

	listed := spawn(t, []string{"CLU_WS_ORIGIN=https://console.example https://other.example"}, "--listen", "0.0.0.0:0")
	_, port, _ = net.SplitHostPort(listed.announcedAddress(t, "http://"))
	for origin, want := range map[string]int{"https://console.example": 101, "https://other.example": 101, "https://evil.example": 403} {
		if status, body := handshake(t, dialAt(t, "tcp", "127.0.0.1:"+port), "Host: bridge", "Origin: "+origin); status != want {
			t.Errorf("%s: %d %s", origin, status, body)
		}
	}
	if strings.Contains(listed.Output.String(), pagesWarning) {
		t.Error("a bridge with a list of origins warns of web pages")
	}
	listed.stop(t)
}

func TestAnUnknownHostOnTheAdminPortRunsNoCommand(t *testing.T) {
	p := spawn(t, nil, "--host", "127.0.0.1", "--port", "0", "--admin", "127.0.0.1:0")
	for host, want := range map[string]int{"evil.example": 403, "localhost": 503} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.admin(t)+"/api/command", strings.NewReader(`{"consumer": "dome", "command_string": "open"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Content-Type", "application/json")
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: testkit.Patience}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != want {
			t.Errorf("Host %s: %s %s", host, resp.Status, body)
		}
	}
	p.stop(t)
}

func TestTheProxyProtocolNamesClientsWithAndWithoutTLS(t *testing.T) {
	certificates := testkit.NewCertificates(t)
	const header = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"
	for name, args := range map[string][]string{
		"one listener": {"--listen", "proxy:127.0.0.1:0"},
		"all":          {"--host", "127.0.0.1", "--port", "0", "--proxy-protocol"},
		"TLS":          {"--listen", "proxy:127.0.0.1:0", "--tls-cert", certificates.ServerCert, "--tls-key", certificates.ServerKey},
	} {
		p := spawn(t, nil, append(args, "--origin", "https://console.example")...)
		scheme := "http://"
		if name == "TLS" {
			scheme = "https://"
		}
		connect := func() net.Conn {
			conn := dialAt(t, "tcp", p.announcedAddress(t, scheme))
			if _, err := io.WriteString(conn, header); err != nil {
				t.Fatal(err)
			}
			if name == "TLS" {
				return tls.Client(conn, certificates.ClientConfig(t))
			}
			return conn
		}
		if status, body := handshake(t, connect(), "Host: localhost"); status != 101 {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if status, _ := handshake(t, connect(), "Host: localhost", "Origin: https://evil.example"); status != 403 {
			t.Errorf("%s: a page of another site: %d", name, status)
		}
		if line := p.await(t, "reason=origin"); !strings.Contains(line, "client=192.0.2.1:56324") {
			t.Errorf("%s: the log: %s", name, line)
		}
		p.stop(t)
	}
}

func TestTheCommandLineIsShownWithoutSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"--password hunter2":                      "--password (hidden)",
		"-password hunter2 --port 1":              "-password (hidden) --port 1",
		"--password=hunter2":                      "--password=(hidden)",
		"--password= --port 1":                    "--password=(hidden) --port 1",
		"--url amqp://me:hunter2@host/":           "--url amqp://(hidden)@host/",
		"--url=amqps://me:hunt@er2@host:1/v":      "--url=amqps://(hidden)@host:1/v",
		"--url amqp://me:hunter/2@host":           "--url amqp://(hidden)@host",
		"--origin https://console.example":        "--origin https://console.example",
		"--listen 127.0.0.1:0 --name password":    "--listen 127.0.0.1:0 --name password",
		"--url amqp://a:hunter2@x --url amqp://y": "--url amqp://(hidden)@x --url amqp://y",
	} {
		got := strings.Join(redactArgs(append([]string{"clu-ws"}, strings.Fields(in)...)), " ")
		if got != "clu-ws "+want {
			t.Errorf("%q is shown as %q", in, got)
		}
	}
	if got := redactArgs([]string{"--source", "redis=redis://:hunter2@x,path=/x"}); got[1] != "redis=redis://(hidden)@x,path=/x" {
		t.Error(got)
	}
	if got := redactArgs([]string{"--url", "amqp://a:hunter2@x amqp://b:hunter2@y"}); got[1] != "amqp://(hidden)@x amqp://(hidden)@y" {
		t.Errorf("two URLs in one: %q", got)
	}
	p := spawn(t, nil, "--host", "127.0.0.1", "--port", "0", "--admin", "127.0.0.1:0", "--user", "me", "--password", "hunter2")
	if got := p.adminGet(t, "/debug/pprof/cmdline"); strings.Contains(got, "hunter2") || !strings.Contains(got, "--password\x00(hidden)") {
		t.Errorf("/debug/pprof/cmdline says %q", got)
	}
	p.stop(t)
}

func TestTheBridgeStartsBesideAServiceOfItsNameInKubernetes(t *testing.T) {
	service := []string{
		"CLU_WS_SERVICE_HOST=10.96.1.2", "CLU_WS_SERVICE_PORT=9876", "CLU_WS_PORT=tcp://10.96.1.2:9876", "CLU_WS_PORT_9876_TCP=tcp://10.96.1.2:9876",
		"CLU_WS_PORT_9876_TCP_PROTO=tcp", "CLU_WS_PORT_9876_TCP_PORT=9876", "CLU_WS_PORT_9876_TCP_ADDR=10.96.1.2",
		"CLU_WS_RABBITMQ_SERVICE_HOST=10.96.1.3", "CLU_WS_RABBITMQ_PORT=tcp://[fd00::3]:5672", "CLU_WS_REUSE_PORT=udp://10.96.1.4:53",
	}
	p := spawn(t, append(service, "CLU_WS_LOG_LEVEL=debug", "CLU_WS_LISTEN=127.0.0.1:0"))
	p.announcementLine(t)
	for _, name := range []string{"CLU_WS_PORT", "CLU_WS_RABBITMQ_PORT", "CLU_WS_REUSE_PORT"} {
		p.await(t, "Kubernetes sets for a Service of that name\" variable="+name+" ")
	}
	p.stop(t)
	for _, wrong := range []string{"tcp://10.96.1.2", "tcp://10.96.1.2:9876/", "http://10.96.1.2:9876", "tcp://clu-ws:9876", "x"} {
		t.Setenv("CLU_WS_PORT", wrong)
		if got := failure(t, "websocket", "--host", "127.0.0.1", "-P", "1"); !strings.Contains(got, "CLU_WS_PORT") && !strings.Contains(got, "port") {
			t.Errorf("%s: %s", wrong, got)
		}
	}
}

func TestTheBridgeGoesOnWithoutAReaderOfItsLog(t *testing.T) {
	cmd := command(t, "websocket", "-P", "1", "--host", "127.0.0.1", "--port", "0")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		_ = cmd.Process.Kill()
		<-ended
	}()
	address := ""
	for lines := bufio.NewScanner(r); address == "" && lines.Scan(); {
		if _, rest, ok := strings.Cut(lines.Text(), "listens at http://"); ok {
			address, _, _ = strings.Cut(rest, " ")
		}
	}
	r.Close() // as head does
	for i := range 3 {
		// The line of log is written before the answer.
		if status, body := handshake(t, dialAt(t, "tcp", address), fmt.Sprintf("Host: evil%d.example", i)); status != 403 {
			t.Fatalf("%d %s", status, body)
		}
	}
	mustAnswer(t, testkit.DialWebSocketWith(t, dialerOf(dialAt(t, "tcp", address)), "ws://localhost/"))
	select {
	case err := <-ended:
		ended <- err
		t.Fatalf("it ended: %v", err)
	default:
	}
}

func TestATrustedProxysClientIsTheOneInTheLog(t *testing.T) {
	p := spawn(t, []string{"CLU_WS_TRUSTED_PROXY=10.0.0.0/8 127.0.0.1"}, "--host", "127.0.0.1", "--port", "0")
	conn := dialAt(t, "tcp", p.announcedAddress(t, "http://"))
	if status, body := handshake(t, conn, "Host: localhost", "Origin: https://evil.example", "X-Forwarded-For: 192.0.2.7, 10.0.0.1"); status != 403 {
		t.Errorf("%d %s", status, body)
	}
	if line := p.await(t, "reason=origin"); !strings.Contains(line, "client=192.0.2.7 ") {
		t.Errorf("the log: %s", line)
	}
	p.stop(t)
}
