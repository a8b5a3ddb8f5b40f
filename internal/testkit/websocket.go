package testkit

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// WebSocket is the client's end of a WebSocket connection. It masks what it sends, and answers pings while it reads.
// Reads from it as a [net.Conn] return what came with the handshake first. One goroutine reads and one writes.
type WebSocket struct {
	net.Conn
	Handshake ws.Handshake

	t     testing.TB // nil for a connection of [OpenWebSocket]
	early []byte     // what came with the handshake and is not read yet
}

// DialWebSocket connects to a ws:// or wss:// URL within [Patience]. The connection ends with the test.
func DialWebSocket(t testing.TB, url string) *WebSocket {
	t.Helper()
	return DialWebSocketWith(t, ws.Dialer{}, url)
}

// DialWebSocketWith is DialWebSocket with a dialer, which may offer subprotocols and extensions, add headers
// or speak TLS.
func DialWebSocketWith(t testing.TB, dialer ws.Dialer, url string) *WebSocket {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	c, err := OpenWebSocket(ctx, dialer, url)
	if err != nil {
		t.Fatalf("cannot connect to %s: %v", url, err)
	}
	t.Cleanup(func() { c.Close() })
	c.t = t
	return c
}

// OpenWebSocket connects for a goroutine that must not end the test: Send and Receive are not for its connection, which
// the caller closes.
func OpenWebSocket(ctx context.Context, dialer ws.Dialer, url string) (*WebSocket, error) {
	conn, buffered, handshake, err := dialer.Dial(ctx, url)
	if err != nil {
		return nil, err
	}
	c := &WebSocket{Conn: conn, Handshake: handshake}
	if buffered != nil {
		c.early = make([]byte, buffered.Buffered())
		_, err = io.ReadFull(buffered, c.early)
		ws.PutReader(buffered)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// Read reads from the connection, first what came with the handshake.
func (c *WebSocket) Read(p []byte) (int, error) {
	if len(c.early) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.early)
	c.early = c.early[n:]
	return n, nil
}

// Send writes a text message.
func (c *WebSocket) Send(text string) {
	c.t.Helper()
	if err := wsutil.WriteClientText(c.Conn, []byte(text)); err != nil {
		c.t.Fatalf("cannot send %.80q: %v", text, err)
	}
}

// Receive reads the next text message, which must come within [Patience].
func (c *WebSocket) Receive() []byte {
	c.t.Helper()
	text, err := c.ReceiveWithin(Patience)
	if err != nil {
		c.t.Fatalf("no message: %v", err)
	}
	return text
}

// ReceiveWithin reads the next text message. The error is a [wsutil.ClosedError] if the server has closed the
// connection with a close frame.
func (c *WebSocket) ReceiveWithin(timeout time.Duration) ([]byte, error) {
	if err := c.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return nil, err
	}
	return wsutil.ReadServerText(c)
}

// ReadFrame reads a frame of a server.
func ReadFrame(r io.Reader) (f ws.Frame, err error) {
	if f.Header, err = ws.ReadHeader(r); err != nil {
		return f, err
	}
	f.Payload = make([]byte, f.Header.Length)
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}
