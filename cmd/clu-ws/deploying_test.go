package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// forged are fields with which a client claims another address, and asks the proxy to remove what it says itself.
var forged = http.Header{
	"Origin":     {"https://console.example"},
	"Connection": {"X-Forwarded-For, X-Forwarded-Proto"}, "X-Real-Ip": {"203.0.113.9"},
	"X-Forwarded-For": {"203.0.113.9"}, "Forwarded": {"for=203.0.113.9"},
}

// idleClient is a client that sends and receives nothing but pings.
type idleClient struct {
	*recordingClient
	conn  net.Conn
	of    *deployment
	ended chan struct{}
}

func (d *deployment) idle(t *testing.T) *idleClient {
	t.Helper()
	e, conn := startRecording(t, d.name, d.dialer("127.0.0.1", nil), d.url("wss"))
	c := &idleClient{e, conn, d, make(chan struct{})}
	go func() { e.running.Wait(); close(c.ended) }()
	return c
}

// Every recipe of docs/deploying.md, with a bridge that is started as it says.
func TestTheRecipesOfDeployingWork(t *testing.T) {
	t.Parallel()
	node := testkit.RabbitMQ(t)
	var idle []*idleClient
	for name, r := range recipesOf(t) {
		d := prepare(t, name, r)
		url := node.NewVHost(t) // as some have bridges of the same names
		p := start(t, d.args(0, url, "--ping-after", "1s")...)
		p.log.await(t, `msg="linked to the broker"`)
		d.arrived = echo(t, url)
		d.serve(t)
		err := tryConnect(t, d.dialer("127.0.0.1", http.Header{"Origin": {"https://evil.example"}}), d.url("wss"))
		if refused, ok := err.(ws.StatusError); !ok || refused != http.StatusForbidden {
			t.Errorf("%s: a page of another site gets %v", name, err)
		}
		for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
			d.sendsFrom(t, p, from)
		}
		proxied := strings.Contains(strings.Join(d.starts[0], " "), "--trusted-proxy")
		if log := p.log.String(); proxied && strings.Contains(log, "not trusted") || strings.Contains(log, "level=ERROR") {
			t.Errorf("%s: the bridge warns:\n%s", name, log)
		}
		idle = append(idle, d.idle(t))
	}
	enough := time.After((limit + 2) * time.Second)
	for _, c := range idle {
		select {
		case <-c.ended:
			_, err := c.received()
			t.Fatalf("%s: an idle connection has ended: %v", c.name, err)
		case <-enough:
			enough = closedTime
		}
	}
	for _, c := range idle {
		sendsUntilOneArrives(t, c.conn, c.recordingClient, c.of.arrived, "after "+c.name)
	}
}

// closedTime is a time that has come.
var closedTime = func() <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}()

// sendsFrom sends a command from an address of this machine, under a false one, and checks its reply and what the log
// says of its sender.
func (d *deployment) sendsFrom(t *testing.T, p *program, from string) {
	t.Helper()
	id := ""
	dialer := d.dialer(from, forged)
	dialer.Protocols = nil
	c := testkit.DialWebSocketWith(t, dialer, d.url("wss"))
	inTime(t, func() (answer string) {
		id += d.name + " from " + from
		c.Send(fmt.Sprintf(`{"consumer": "echo", "command_string": "x", "command_id": %q}`, id))
		for answer == "" || !strings.Contains(answer, fmt.Sprintf(`"command_id": %q`, id)) && !isLate(answer) {
			answer = string(c.Receive())
		}
		return answer
	})
	line := p.log.await(t, fmt.Sprintf("command_id=%q", id))
	_, client, _ := strings.Cut(line, " client=")
	client, _, _ = strings.Cut(client, " ")
	if host, _, err := net.SplitHostPort(client); err == nil {
		client = host
	}
	if client != from {
		t.Errorf("%s: the log says\n%s\nwant client=%s", d.name, line, from)
	}
	c.Close()
}

// Without pings, the proxies of the recipes end idle connections: the limits that the test above relies on hold.
func TestTheProxiesOfDeployingEndConnectionsWithoutPings(t *testing.T) {
	t.Parallel()
	url, recipes := testkit.RabbitMQ(t).NewVHost(t), recipesOf(t)
	var idle []*idleClient
	for _, name := range []string{"nginx", "nginx-unix", "haproxy", "haproxy-proxy", "apache"} {
		d := prepare(t, name, recipes[name])
		p := start(t, d.args(0, url, "--ping-after", "1h")...)
		p.log.await(t, `msg="linked to the broker"`) // it is ready, for which HAProxy asks
		d.serve(t)
		idle = append(idle, d.idle(t))
	}
	for _, c := range idle {
		select {
		case <-c.ended:
		case <-time.After(testkit.Patience):
			t.Errorf("%s: an idle connection without pings lives on", c.name)
		}
		_, err := c.received()
		if _, byBridge := err.(closed); byBridge {
			t.Errorf("%s: the bridge ended the connection: %v", c.name, err)
		}
	}
}

func TestAProxyThatIsNotTrustedIsWarnedOfOnce(t *testing.T) {
	p := start(t, "websocket", "--host", "127.0.0.1", "--port", "0", "-P", "1")
	for range 2 {
		c := testkit.DialWebSocketWith(t, ws.Dialer{Header: ws.HandshakeHeaderHTTP(http.Header{"X-Forwarded-For": {"203.0.113.9"}})}, "ws://"+p.address(t)+"/")
		if err := wsutil.WriteClientText(c.Conn, []byte("ping")); err != nil {
			t.Fatal(err)
		}
		c.Receive()
	}
	p.log.await(t, "proxy=127.0.0.1")
	if n := strings.Count(p.log.String(), "not trusted"); n != 1 {
		t.Errorf("it is warned of %d times:\n%s", n, p.log)
	}
}

func TestTheProxyProtocolNamesTheClientOverAUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.sock")
	p := start(t, "websocket", "--listen", "proxy:unix:"+path+"?mode=0600", "-P", "1")
	p.out.await(t, "listens at PROXY unix:"+path+" as ")
	dialer := ws.Dialer{NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		if err == nil {
			_, err = io.WriteString(conn, "PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n")
		}
		return conn, err
	}}
	c := testkit.DialWebSocketWith(t, dialer, "ws://localhost/")
	c.Send(`{"consumer": "nobody", "command_string": "x", "command_id": "over a socket"}`)
	if line := p.log.await(t, `command_id="over a socket"`); !strings.Contains(line, " client=192.0.2.7:4711 ") {
		t.Errorf("the log says %s", line)
	}
}
