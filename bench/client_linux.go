package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"
)

// clientEvents are edge-triggered: a socket is registered once.
const clientEvents = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET

// state is how far a client has come.
type state uint8

const (
	stateDialing   state = iota // waits for the connection
	stateUpgrading              // waits for the answer to its request
	stateOpen
	stateGone
)

// client is one connection. It belongs to the swarm's thread.
type client struct {
	stream
	crowd   *crowd
	request []byte
	fd      int
	conn    net.Conn // over TLS, in place of fd; nil is none
	state   state
	until   uint64 // the number behind the last one that is for it
	deaf    bool   // it reads nothing for the time being
	done    bool   // it has all that is expected
}

// ask sends the upgrade request, once the connection is there.
func (c *client) ask() {
	n, err := unix.Write(c.fd, c.request)
	switch {
	case err == unix.EAGAIN || err == unix.ENOTCONN:
		return
	case err != nil:
		c.end("no connection: " + err.Error())
	case n < len(c.request):
		c.end("the request was cut")
	default:
		c.state = stateUpgrading
	}
}

// take handles bytes from the server.
func (c *client) take(data []byte) {
	if c.state == stateUpgrading {
		if data = c.answer(data); len(data) == 0 {
			return
		}
	}
	if c.state != stateOpen {
		return
	}
	k := &c.crowd.checker
	c.crowd.current = c
	if k.sent != nil || k.last != nil {
		k.now = c.crowd.swarm.clock()
	}
	if err := k.feed(&c.stream, data); err != nil {
		c.end("sent " + err.Error())
		return
	}
	c.crowd.progress(c)
}

// answer takes the answer to the upgrade request and gives the bytes behind it.
func (c *client) answer(data []byte) []byte {
	head := append(c.carry, data...)
	end := bytes.Index(head, []byte("\r\n\r\n"))
	if end < 0 {
		c.carry = head
		return nil
	}
	c.carry = nil
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		c.end(fmt.Sprintf("answered %q", line))
		return nil
	}
	c.state = stateOpen
	c.crowd.opened(c)
	return head[end+4:]
}

// control handles a control frame.
func (c *client) control(op ws.OpCode, payload []byte) {
	switch op {
	case ws.OpPing:
		c.send(ws.OpPong, payload)
	case ws.OpClose:
		reason := "closed without a code"
		if len(payload) >= 2 {
			reason = fmt.Sprintf("closed with %d %q", binary.BigEndian.Uint16(payload), payload[2:])
		}
		c.send(ws.OpClose, payload[:min(2, len(payload))])
		c.end(reason)
	}
}

// send sends a short frame with the masking key 0. One that the socket does
// not take is left out: nobody else writes to it, so it is broken then.
func (c *client) send(op ws.OpCode, payload []byte) {
	frame := append([]byte{0x80 | byte(op), 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
	if c.conn != nil {
		_, _ = c.conn.Write(frame)
		return
	}
	_, _ = unix.Write(c.fd, frame)
}

// end is for a connection that the server ended, or broke.
func (c *client) end(why string) {
	opened := c.state == stateOpen
	c.hangUp()
	c.crowd.lost(c, opened, why)
}

// hangUp resets the connection, so that its port is free at once.
func (c *client) hangUp() {
	if c.state == stateGone {
		return
	}
	c.state = stateGone
	if c.conn != nil {
		c.conn.Close()
		return
	}
	c.crowd.swarm.clients[c.fd] = nil
	_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(c.fd)
}
