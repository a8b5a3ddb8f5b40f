package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"
)

// clientEvents are edge-triggered, so a socket is registered once.
const clientEvents = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET

// state is the progress of a connection.
type state uint8

const (
	stateDialing   state = iota // waits for the connection
	stateUpgrading              // waits for the response to its request
	stateGreeting               // waits for what the dialect's current step waits for
	stateOpen
	stateGone
)

// client is one connection. It belongs to the loop's thread.
type client struct {
	stream
	set     *clientSet
	request []byte
	fd      int
	conn    net.Conn // replaces fd over TLS; nil without TLS
	state   state
	until   uint64 // the number after the last one that it expects
	paused  bool   // it does not read for now
	done    bool   // it has everything that it expects
	steps   []step // of the dialect
	step    int    // the current one
}

// sendUpgrade sends the upgrade request once the connection is open.
func (c *client) sendUpgrade() {
	n, err := unix.Write(c.fd, c.request)
	switch {
	case err == unix.EAGAIN || err == unix.ENOTCONN:
		return
	case err != nil:
		c.fail("no connection: " + err.Error())
	case n < len(c.request):
		c.fail("the request was cut")
	default:
		c.state = stateUpgrading
	}
}

// receive handles bytes from the server.
func (c *client) receive(data []byte) {
	if c.state == stateUpgrading {
		if data = c.readUpgrade(data); len(data) == 0 {
			return
		}
	}
	if c.state != stateOpen && c.state != stateGreeting {
		return
	}
	k := &c.set.checker
	c.set.current = c
	if k.sent != nil || k.lastArrival != nil {
		k.now = c.set.loop.clock()
	}
	if err := k.feed(&c.stream, data); err != nil {
		c.fail("sent " + err.Error())
		return
	}
	if c.state == stateOpen {
		c.set.progress(c)
	}
}

// readUpgrade reads the response to the upgrade request and returns the bytes after it.
func (c *client) readUpgrade(data []byte) []byte {
	head := append(c.carry, data...)
	end := bytes.Index(head, []byte("\r\n\r\n"))
	if end < 0 {
		c.carry = head
		return nil
	}
	c.carry = nil
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		c.fail(fmt.Sprintf("answered %q", line))
		return nil
	}
	if len(c.steps) > 0 {
		c.state = stateGreeting
		c.greet()
	} else {
		c.state = stateOpen
		c.set.opened(c)
	}
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
		c.fail(reason)
	}
}

// send sends a short frame with masking key 0. An error is ignored: the socket has room for a short frame unless it is
// broken, which the next read shows.
func (c *client) send(op ws.OpCode, payload []byte) {
	frame := append([]byte{0x80 | byte(op), 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
	if c.conn != nil {
		_, _ = c.conn.Write(frame)
		return
	}
	_, _ = unix.Write(c.fd, frame)
}

// fail handles a connection that the server closed, or that broke.
func (c *client) fail(why string) {
	opened := c.state == stateOpen
	c.disconnect()
	c.set.connectionLost(c, opened, why)
}

// disconnect resets the connection, which frees its port at once.
func (c *client) disconnect() {
	if c.state == stateGone {
		return
	}
	c.state = stateGone
	if c.conn != nil {
		c.conn.Close()
		return
	}
	c.set.loop.clients[c.fd] = nil
	_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(c.fd)
}
