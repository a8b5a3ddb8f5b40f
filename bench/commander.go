package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/actor"
)

// consumer is the actor that the measured commands go to.
const consumer = "x"

// numberSuffix is the length of what follows the number in a command's body: a quote and a brace.
const numberSuffix = len(`"}`)

// commandString returns the numbered command.
func commandString(number uint64) string { return fmt.Sprintf("status %0*d", digits, number) }

// commandNumber returns the number in the body of a command.
func commandNumber(body []byte) (uint64, bool) {
	end := len(body) - numberSuffix
	if end < digits || string(body[end:]) != `"}` {
		return 0, false
	}
	var n uint64
	for _, c := range body[end-digits : end] {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, true
}

// commandFrame returns the numbered command as a WebSocket client sends it, with masking key 0, and the command's id.
func commandFrame(number uint64) (frame []byte, id string, err error) {
	id = actor.NewCommandID()
	text, err := json.Marshal(map[string]string{"consumer": consumer, "command_string": commandString(number), "command_id": id})
	if err != nil {
		return nil, "", err
	}
	frame, err = ws.CompileFrame(ws.MaskFrameInPlaceWith(ws.NewTextFrame(text), [4]byte{}))
	return frame, id, err
}

// commander is a WebSocket client that sends commands.
type commander struct {
	conn net.Conn
	from *bufio.Reader
}

func dialCommander(ctx context.Context, addr string) (*commander, error) {
	conn, from, _, err := ws.Dial(ctx, "ws://"+addr+"/")
	if err != nil {
		return nil, fmt.Errorf("a client could not connect: %w", err)
	}
	return newCommander(conn, from), nil
}

// newCommander makes a client of a connection after the handshake. The reader holds what followed the handshake, if
// anything did.
func newCommander(conn net.Conn, from *bufio.Reader) *commander {
	if from == nil {
		from = bufio.NewReader(conn)
	}
	return &commander{conn: conn, from: from}
}

func (c *commander) close() { c.conn.Close() }

// writeBatch is about how many bytes of frames one write has.
const writeBatch = 16 << 10

// send sends frames, one for each slot that it gets. Frames that have a slot already share a write.
func (c *commander) send(ctx context.Context, frames [][]byte, slots <-chan struct{}) error {
	var buffered []byte
	flush := func() error {
		if _, err := c.conn.Write(buffered); err != nil {
			return fmt.Errorf("a client could not send: %w", err)
		}
		buffered = buffered[:0]
		return nil
	}
	for _, frame := range frames {
		select {
		case <-slots:
		default:
			if err := flush(); err != nil {
				return err
			}
			select {
			case <-slots:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if buffered = append(buffered, frame...); len(buffered) > writeBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// readText returns the next text from the server, and answers pings before it.
func (c *commander) readText() ([]byte, error) {
	return c.readMessage(ws.OpText)
}

// readData returns the next text or binary message.
func (c *commander) readData() ([]byte, error) {
	return c.readMessage(ws.OpText, ws.OpBinary)
}

// readMessage returns the next message of these kinds.
func (c *commander) readMessage(kinds ...ws.OpCode) ([]byte, error) {
	for {
		header, err := ws.ReadHeader(c.from)
		if err != nil {
			return nil, fmt.Errorf("a client lost its connection: %w", err)
		}
		if header.Length > maxFrame {
			return nil, fmt.Errorf("a frame of %d bytes", header.Length)
		}
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(c.from, payload); err != nil {
			return nil, fmt.Errorf("a client lost its connection: %w", err)
		}
		if slices.Contains(kinds, header.OpCode) {
			return payload, nil
		}
		switch header.OpCode {
		case ws.OpPing:
			// One write for the whole frame: it must not split a frame of commands.
			pong := ws.MustCompileFrame(ws.MaskFrameInPlaceWith(ws.NewPongFrame(payload), [4]byte{}))
			if _, err := c.conn.Write(pong); err != nil {
				return nil, fmt.Errorf("a client could not answer a ping: %w", err)
			}
		case ws.OpClose:
			return nil, fmt.Errorf("the server closed a client: %q", payload)
		}
	}
}
