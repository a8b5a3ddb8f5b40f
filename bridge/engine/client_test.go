package engine

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// client is a WebSocket client that reads raw frames.
type client struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (s *server) dial(t *testing.T) *client {
	t.Helper()
	c := s.dialTCP(t)
	c.upgrade("/")
	testkit.Receive(t, s.opened)
	return c
}

// dialTCP connects, with TLS if the server speaks it.
func (s *server) dialTCP(t *testing.T) *client {
	t.Helper()
	c := s.dialRaw(t)
	c.startTLS(s)
	return c
}

// startTLS starts TLS if the server speaks it.
func (c *client) startTLS(s *server) {
	if s.tls != nil {
		c.Conn = tls.Client(c.Conn, clientTLS)
		c.r.Reset(c.Conn)
	}
}

// get requests a page from the server.
func (s *server) get(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	req.URL.Scheme, req.URL.Host = "http", s.addr
	if s.tls != nil {
		req.URL.Scheme = "https"
	}
	transport := &http.Transport{TLSClientConfig: clientTLS, DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	resp, err := (&http.Client{Transport: transport, Timeout: testkit.Patience}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// dialRaw connects and sends nothing.
func (s *server) dialRaw(t *testing.T) *client {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(testkit.Patience))
	return &client{t, conn, bufio.NewReader(conn)}
}

const upgradeRequest = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

func (c *client) upgrade(path string) {
	c.t.Helper()
	c.send([]byte("GET " + path + upgradeRequest[len("GET /"):]))
	if resp := c.response(); resp.StatusCode != http.StatusSwitchingProtocols {
		c.t.Fatalf("the upgrade was answered with %s", resp.Status)
	} else if got := resp.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		c.t.Fatalf("Sec-WebSocket-Accept is %q", got)
	}
}

func (c *client) response() *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			c.t.Fatal(err)
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	return resp
}

func (c *client) send(b ...[]byte) {
	c.t.Helper()
	if _, err := c.Write(join(b...)); err != nil {
		c.t.Fatal(err)
	}
}

// frame reads the next frame.
func (c *client) frame() ws.Frame {
	c.t.Helper()
	f, err := readFrame(c.r)
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

func readFrame(r io.Reader) (f ws.Frame, err error) {
	if f.Header, err = ws.ReadHeader(r); err != nil {
		return f, err
	}
	f.Payload = make([]byte, f.Header.Length)
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}

// expect reads a text frame and compares it.
func (c *client) expect(want string) {
	c.t.Helper()
	f := c.frame()
	if f.Header.OpCode != ws.OpText || string(f.Payload) != want {
		c.t.Fatalf("got opcode %d with %.80q, want text %.80q", f.Header.OpCode, f.Payload, want)
	}
}

// expectClose reads up to the close frame, answers it and waits for the end.
func (c *client) expectClose(code ws.StatusCode) (reason string) {
	c.t.Helper()
	for {
		f := c.frame()
		if f.Header.OpCode != ws.OpClose {
			continue
		}
		got, reason := ws.ParseCloseFrameData(f.Payload)
		if got != code {
			c.t.Fatalf("closed with %d %q, want %d", got, reason, code)
		}
		c.send(masked(true, ws.OpClose, string(f.Payload)))
		if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
			c.t.Fatalf("after the close frame: % x, %v", rest, err)
		}
		return reason
	}
}
