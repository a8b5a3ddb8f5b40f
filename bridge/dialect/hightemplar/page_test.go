package hightemplar

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// page is a client.
type page struct {
	t      *testing.T
	conn   net.Conn
	in     *bufio.Reader
	answer *http.Response // to the upgrade, once it is read
}

// connect sends an upgrade request with further header fields.
func (h *harness) connect(t *testing.T, target string, fields map[string]string) *page {
	t.Helper()
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	head := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "User-Agent": {"gold-client/1"}}
	for name, value := range fields {
		head.Set(name, value)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "GET %s HTTP/1.1\r\nHost: localhost\r\n", target)
	if err := head.Write(&out); err != nil {
		t.Fatal(err)
	}
	out.WriteString("\r\n")
	if _, err := conn.Write(out.Bytes()); err != nil {
		t.Fatal(err)
	}
	return &page{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// status returns that of the answer to the upgrade.
func (p *page) status() int {
	p.t.Helper()
	if p.answer == nil {
		if err := p.conn.SetReadDeadline(time.Now().Add(testkit.Patience)); err != nil {
			p.t.Fatal(err)
		}
		var err error
		if p.answer, err = http.ReadResponse(p.in, nil); err != nil {
			p.t.Fatal(err)
		}
	}
	return p.answer.StatusCode
}

// read returns the next message or close frame.
func (p *page) read() (op ws.OpCode, payload []byte) {
	p.t.Helper()
	if p.status() != http.StatusSwitchingProtocols {
		p.t.Fatalf("the upgrade is answered with %s", p.answer.Status)
	}
	for {
		if err := p.conn.SetReadDeadline(time.Now().Add(testkit.Patience)); err != nil {
			p.t.Fatal(err)
		}
		f, err := testkit.ReadFrame(p.in)
		switch {
		case err != nil:
			p.t.Fatalf("no frame: %v", err)
		case f.Header.OpCode == ws.OpPing:
			p.write(ws.NewPongFrame(f.Payload))
			continue
		case f.Header.OpCode != ws.OpContinuation:
			op = f.Header.OpCode
		}
		if payload = append(payload, f.Payload...); f.Header.Fin {
			return op, payload
		}
	}
}

// text returns the next message, which must be text.
func (p *page) text() []byte {
	p.t.Helper()
	op, payload := p.read()
	if op != ws.OpText {
		p.t.Fatalf("the client got %x %.80q, want a text", op, payload)
	}
	return payload
}

// gets compares the next message as JSON.
func (p *page) gets(want string) {
	p.t.Helper()
	if got := p.text(); !sameJSON(string(got), want) {
		p.t.Fatalf("the client got %.200s, want %.200s", got, want)
	}
}

// asks sends a message and compares the answer.
func (p *page) asks(message, want string) {
	p.t.Helper()
	p.says(message)
	p.gets(want)
}

// says sends a message.
func (p *page) says(message string) { p.t.Helper(); p.write(ws.NewTextFrame([]byte(message))) }

// closed returns the code of the next frame, which must be a close frame.
func (p *page) closed() int {
	p.t.Helper()
	op, payload := p.read()
	if op != ws.OpClose || len(payload) < 2 {
		p.t.Fatalf("the client got %x %.80q, want a close frame", op, payload)
	}
	return int(binary.BigEndian.Uint16(payload))
}

// leave closes the connection as a page does.
func (p *page) leave() {
	p.t.Helper()
	p.write(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))
	p.closed()
	p.conn.Close()
}

// write sends a frame.
func (p *page) write(f ws.Frame) {
	p.t.Helper()
	if err := ws.WriteFrame(p.conn, ws.MaskFrame(f)); err != nil {
		p.t.Fatal(err)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	return reflect.DeepEqual(x, y)
}
