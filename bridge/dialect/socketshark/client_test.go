package socketshark_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// client is a WebSocket client.
type client struct {
	conn   net.Conn
	events chan received
	pings  chan struct{}
	pongs  chan struct{}
	ended  chan struct{}
	done   bool // it has no connection any more
}

// received is a text or a close frame.
type received struct {
	text string
	code int
}

func dial(ctx context.Context, url string) (*client, error) {
	conn, err := testkit.OpenWebSocket(ctx, ws.Dialer{Timeout: testkit.Patience}, url)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, events: make(chan received, 1000), pings: make(chan struct{}, 1000), pongs: make(chan struct{}, 1000), ended: make(chan struct{})}
	go c.read()
	return c, nil
}

func (c *client) read() {
	defer close(c.ended)
	for {
		h, err := ws.ReadHeader(c.conn)
		if err != nil || h.Length > 16<<20 {
			return
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(c.conn, payload); err != nil {
			return
		}
		switch h.OpCode {
		case ws.OpText:
			c.events <- received{text: string(payload)}
		case ws.OpClose:
			code, _ := ws.ParseCloseFrameData(payload)
			c.events <- received{code: int(code)}
			c.conn.Close()
			return
		case ws.OpPing:
			c.pings <- struct{}{}
			c.send(ws.OpPong, payload)
		case ws.OpPong:
			c.pongs <- struct{}{}
		}
	}
}

func (c *client) send(op ws.OpCode, payload []byte) {
	_ = ws.WriteFrame(c.conn, ws.MaskFrame(ws.NewFrame(op, true, payload))) // what is missing shows
}

func (c *client) sendStep(what json.RawMessage) error {
	var text string
	if json.Unmarshal(what, &text) == nil {
		c.send(ws.OpText, []byte(text))
		return nil
	}
	var binary struct{ Base64 string }
	if err := json.Unmarshal(what, &binary); err != nil {
		return err
	}
	payload, err := base64.StdEncoding.DecodeString(binary.Base64)
	c.send(ws.OpBinary, payload)
	return err
}

func (c *client) next(nudge func()) (received, error) { return await(c.events, nudge) }
