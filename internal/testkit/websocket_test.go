package testkit

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// greeter is a server that sends "hello" in one write with its handshake's answer, echoes one message and
// closes with 1000 "bye".
func greeter(t *testing.T) (url string) {
	served := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(served)
		conn, err := greet(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		text, err := wsutil.ReadClientText(conn)
		if err != nil {
			t.Error(err)
		}
		_ = wsutil.WriteServerText(conn, text)
		_ = ws.WriteFrame(conn, ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "bye")))
	}))
	t.Cleanup(func() {
		<-served
		server.Close()
	})
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

func greet(w http.ResponseWriter, r *http.Request) (net.Conn, error) {
	conn, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err
	}
	const accept = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
	_, _ = buffer.WriteString(accept + acceptOf(r.Header.Get("Sec-WebSocket-Key")) + "\r\n\r\n")
	_ = ws.WriteFrame(buffer, ws.NewTextFrame([]byte("hello")))
	return conn, buffer.Flush()
}

// acceptOf is the answer to a key (RFC 6455, section 4.2.2).
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func TestAWebSocketReadsWhatCameWithTheHandshakeAndTellsOfTheClose(t *testing.T) {
	c := DialWebSocket(t, greeter(t))
	if got := c.Receive(); string(got) != "hello" {
		t.Errorf("first %q", got)
	}
	c.Send("echo")
	if got := c.Receive(); string(got) != "echo" {
		t.Errorf("then %q", got)
	}
	_, err := c.ReceiveWithin(Patience)
	var closed wsutil.ClosedError
	if !errors.As(err, &closed) || closed.Code != ws.StatusNormalClosure || closed.Reason != "bye" {
		t.Errorf("at last %v", err)
	}
}
