package amqpx

import (
	"encoding/binary"
	"sync"
)

// confirms takes the broker's acks and nacks of what is published on one channel.
type confirms struct {
	channel uint16 // the first on the connection that confirms; 0 until the broker has said so

	// mu guards the following field, and is held while a message ends.
	mu     sync.Mutex
	settle func(tag uint64, multiple, ack bool) // nil once the session has ended
}

// takeConfirms has the mender take the confirms of the next channel that is made to
// confirm. It comes before that, from the goroutine that connects.
func (ic *interceptor) takeConfirms(settle func(tag uint64, multiple, ack bool)) *confirms {
	c := &confirms{settle: settle}
	ic.confirms.Store(c)
	return c
}

// end ends the settling: what comes later settles nothing. The tags of the next session
// begin anew.
func (c *confirms) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle = nil
}

// The methods that confirm, and the answer that a channel does. An ack and a nack have a
// tag and an octet of flags.
const (
	ackMethod      = "\x00\x3c\x00\x50"
	nackMethod     = "\x00\x3c\x00\x78"
	selectOkMethod = "\x00\x55\x00\x0b"

	confirmSize  = len(ackMethod) + 9
	selectOkSize = len(selectOkMethod)

	multipleFlag = 1
)

// expects reports whether a method of this size may be one of those.
func (c *confirms) expects(channel uint16, size uint32) bool {
	switch {
	case c == nil:
		return false
	case c.channel == 0:
		return size == uint32(selectOkSize)
	}
	return channel == c.channel && size == uint32(confirmSize)
}

// take takes a frame that is expected, unless the library must have it.
func (c *confirms) take(channel uint16, frame []byte) bool {
	payload := frame[frameHead : len(frame)-1]
	method := string(payload[:len(ackMethod)])
	switch {
	case frame[len(frame)-1] != frameEnd:
		return false
	case method == selectOkMethod:
		c.channel = channel
		return false
	case method != ackMethod && method != nackMethod:
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.settle != nil {
		payload = payload[len(ackMethod):]
		c.settle(binary.BigEndian.Uint64(payload), payload[8]&multipleFlag != 0, method == ackMethod)
	}
	return true
}
