package engine_test

import (
	"context"
	"io"
	"log"
	"net"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// client is the other side of the examples' connections.
type client struct {
	net.Conn
	io.Reader // the connection, after what came with the response
}

func connect(addr net.Addr, target, origin string) (*client, error) {
	d := ws.Dialer{}
	if origin != "" {
		d.Header = ws.HandshakeHeaderHTTP{"Origin": {origin}}
	}
	return connectWith(d, addr, target)
}

// connectAs connects as a program with a name.
func connectAs(addr net.Addr, name string) (*client, error) {
	return connectWith(ws.Dialer{Header: ws.HandshakeHeaderHTTP{"X-Name": {name}}}, addr, "/")
}

func connectWith(d ws.Dialer, addr net.Addr, target string) (*client, error) {
	conn, buffered, _, err := d.Dial(context.Background(), "ws://"+addr.String()+target)
	if err != nil {
		return nil, err
	}
	if buffered != nil {
		return &client{conn, buffered}, nil
	}
	return &client{conn, conn}, nil
}

// dial connects as a page of an origin, or as another program if that is "".
func dial(addr net.Addr, target, origin string) *client {
	c, err := connect(addr, target, origin)
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// dialError returns why a page of an origin cannot connect.
func dialError(addr net.Addr, origin string) error {
	_, err := connect(addr, "/", origin)
	return err
}

func (c *client) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func (c *client) write(text string) {
	if err := wsutil.WriteClientText(c, []byte(text)); err != nil {
		log.Fatal(err)
	}
}

func (c *client) read() string {
	text, err := wsutil.ReadServerText(c)
	if err != nil {
		log.Fatal(err)
	}
	return string(text)
}

// close closes the connection with a close frame, and waits until the server hangs up.
func (c *client) close() {
	closing := ws.MaskFrameInPlace(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))
	if err := ws.WriteFrame(c, closing); err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		log.Fatal(err)
	}
	c.Conn.Close()
}
