package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
)

// neighbour is a WebSocket client that shares the bridge with the probes. It sends prepared frames, so that its own work
// does not affect the measurement.
type neighbour struct {
	conn net.Conn
	from *bufio.Reader
}

// dialOptions are the options of a neighbour's connection.
type dialOptions struct {
	path     string
	compress bool // it offers permessage-deflate
	// receiveBuffer is the size of its kernel receive buffer; 0 is the default. If the client does not read, the rest
	// stays with the bridge.
	receiveBuffer int
}

// dialTimeout is how long it may take to connect.
const dialTimeout = 20 * time.Second

// dialNeighbour connects to a bridge, over TLS if the bridge has it.
func dialNeighbour(ctx context.Context, t *target, how dialOptions) (*neighbour, error) {
	scheme := "ws"
	dialer := ws.Dialer{Timeout: dialTimeout, NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return dialWith(ctx, network, addr, how.receiveBuffer)
	}}
	if t.tls {
		scheme = "wss"
		// The certificate is the run's own, and the connection is on loopback.
		dialer.TLSConfig = &tls.Config{InsecureSkipVerify: true}
	}
	if how.compress {
		dialer.Extensions = []httphead.Option{httphead.NewOption("permessage-deflate", map[string]string{"client_no_context_takeover": ""})}
	}
	conn, from, shook, err := dialer.Dial(ctx, scheme+"://"+t.addr.String()+how.path)
	if err != nil {
		return nil, fmt.Errorf("a client could not connect: %w", err)
	}
	if how.compress && len(shook.Extensions) == 0 {
		conn.Close()
		return nil, fmt.Errorf("the server does not compress")
	}
	if from == nil {
		from = bufio.NewReader(conn)
	}
	return &neighbour{conn, from}, nil
}

func dialWith(ctx context.Context, network, addr string, receive int) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil || receive == 0 {
		return conn, err
	}
	if err := conn.(*net.TCPConn).SetReadBuffer(receive); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// errDisconnected means that a neighbour lost its connection.
var errDisconnected = errors.New("a client has lost its connection")

func (n *neighbour) close() { n.conn.Close() }

// write sends frames.
func (n *neighbour) write(frames ...[]byte) error {
	for _, frame := range frames {
		if _, err := n.conn.Write(frame); err != nil {
			return fmt.Errorf("%w: %w", errDisconnected, err)
		}
	}
	return nil
}

// discard reads and discards everything until the connection ends.
func (n *neighbour) discard() { _, _ = io.Copy(io.Discard, n.from) }

// readText returns the next text from the server.
func (n *neighbour) readText() ([]byte, error) {
	text, err := newCommander(n.conn, n.from).readText()
	if err != nil {
		err = fmt.Errorf("%w: %w", errDisconnected, err)
	}
	return text, err
}

// readOp reads up to a text with the op, and returns it. The op "error" is an error.
func (n *neighbour) readOp(op string) ([]byte, error) {
	for {
		text, err := n.readText()
		switch {
		case err != nil:
			return nil, err
		case isOp(text, op):
			return text, nil
		case isOp(text, "error"):
			return nil, fmt.Errorf("a client received %s", text)
		}
	}
}

// isOp reports whether a text has the op. Servers write it first, some with a space.
func isOp(text []byte, op string) bool {
	rest, ok := bytes.CutPrefix(text, []byte(`{"op":`))
	return ok && bytes.HasPrefix(bytes.TrimPrefix(rest, []byte(" ")), []byte(`"`+op+`"`))
}

// textFrame returns a client's text frame with masking key 0.
func textFrame(text []byte) []byte {
	return clientFrame(ws.Header{Fin: true, OpCode: ws.OpText, Masked: true, Length: int64(len(text))}, text)
}

// deflatedFrame does the same for a compressed message (RFC 7692, 6.1).
func deflatedFrame(message []byte) []byte {
	return clientFrame(ws.Header{Fin: true, Rsv: ws.Rsv(true, false, false), OpCode: ws.OpText, Masked: true, Length: int64(len(message))}, message)
}

func clientFrame(header ws.Header, payload []byte) []byte {
	var frame strings.Builder
	// Neither a builder nor a header of this kind returns an error.
	_ = ws.WriteHeader(&frame, header)
	frame.Write(payload)
	return []byte(frame.String())
}

// subscribeFrame returns a subscribe message.
func subscribeFrame(id string, more map[string]any) []byte {
	more["op"], more["id"] = "subscribe", id
	return textFrame(jsonOf(more))
}

// snapshotFrame returns a snapshot message.
func snapshotFrame(filter map[string]any) []byte {
	return textFrame(jsonOf(map[string]any{"op": "snapshot", "id": "s", "filter": filter}))
}

// readEpoch reads the hello, and returns the epoch of the bridge's replies.
func (n *neighbour) readEpoch() (string, error) {
	text, err := n.readOp("hello")
	if err != nil {
		return "", err
	}
	var hello struct{ Epoch string }
	err = json.Unmarshal(text, &hello)
	return hello.Epoch, err
}

func jsonOf(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("bench: " + err.Error()) // only for this package's own values
	}
	return text
}
