package amqpx

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Publishes and their confirms do not pass through the library. It writes a header field
// by field through encoding/binary, wakes a goroutine for each message to put off the next
// heartbeat, and hands a confirm from its reader to whoever waits for it, just when an
// answer may come. Here the frames of all that can be sent leave in one write, and a
// confirm settles its message where it is read:
//
//	Publish ──► outbox ──► publisher ──► socket
//	               └◄── confirms ◄── mender ◄── socket    acks and nacks on the publishing channel
//	                                   └──► library       everything else: returns, answers, heartbeats
//
// The library still opens and closes the channel, has it confirm, and takes what is returned.

// publisher writes what is published in a session.
type publisher struct {
	outbox *outbox
	frames publishFrames
	conn   net.Conn    // the network, or TLS on it
	socket *socket     // the network if there is no TLS; else nil
	closed func() bool // whether the channel was closed

	// mu guards the following fields. It is held while a piece is written.
	mu     sync.Mutex
	piece  []byte // what is written next
	failed error  // a piece was not written, so the tags are not the broker's any more
	ended  bool   // the session is over; the tags are the next one's
}

// maxWrite is about how much is written at once.
const maxWrite = 32 << 10

// publishAll writes all that can be sent now.
func (p *publisher) publishAll() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil && p.socket != nil {
		p.failed = p.socket.flush()
	}
	if p.failed != nil {
		return p.failed
	}
	for {
		began := time.Now()
		first, next := p.collect(maxWrite)
		if first == next {
			return nil
		}
		if err := p.write(p.conn.Write, began); err != nil {
			p.unsent(first, next, err)
			return err
		}
	}
}

// maxInlineBody is how long the body of a message may be that is sent by whoever publishes it.
const maxInlineBody = 16 << 10

// tryPublish writes one message, if that takes no waiting. It is called by whoever has
// published it, when nothing is before it: to wake the goroutine that sends would take
// longer. It reports whether that has nothing left to do.
func (p *publisher) tryPublish() (done bool, err error) {
	if p.socket == nil || !p.mu.TryLock() {
		return false, nil
	}
	defer p.mu.Unlock()
	if p.ended || p.failed != nil || !p.socket.tryLock() {
		return false, nil
	}
	defer p.socket.writing.Unlock()
	began := time.Now()
	first, next := p.collect(1)
	if first == next {
		return false, nil
	}
	if err := p.write(p.socket.writeNow, began); err != nil {
		p.unsent(first, next, err)
		return false, err
	}
	return len(p.socket.unwritten) == 0, nil
}

// collect appends messages to the piece until it has so many bytes. Their tags are those
// from first on, before next. mu is held.
func (p *publisher) collect(bytes int) (first, next uint64) {
	for len(p.piece) < bytes {
		m, tag := p.outbox.take(time.Now())
		if m == nil {
			break
		}
		if next == 0 {
			first = tag
		}
		next = tag + 1
		p.piece = p.frames.append(p.piece, &m.msg)
		m.msg.Body = nil // a window of long ones need not stay until their confirms
	}
	return first, next
}

// maxWriteDelay is how old what was collected may be when it is written. That takes no
// longer than it takes to collect it, unless the process stood still meanwhile.
const maxWriteDelay = time.Second

var errProcessStalled = errors.New("the process stood still with messages in hand, which would be late")

// write writes the piece, which was begun at the time given. mu is held.
func (p *publisher) write(to func([]byte) (int, error), began time.Time) (err error) {
	defer func() { p.failed = err }()
	piece := p.piece
	if p.piece = piece[:0]; cap(piece) > 4*maxWrite {
		p.piece = nil
	}
	if p.closed() {
		return amqp.ErrClosed
	}
	// The clock on the wall goes on while the machine is suspended.
	if time.Now().Round(0).Sub(began.Round(0)) > maxWriteDelay {
		return errProcessStalled
	}
	_, err = to(piece)
	return err
}

// unsent ends messages that were not written, if that is certain: what is left is told
// when the session ends, which it must, because the broker does not count them.
func (p *publisher) unsent(first, next uint64, err error) {
	outcome := Disconnected
	switch {
	case errors.Is(err, errProcessStalled):
		outcome = Expired
	case !errors.Is(err, amqp.ErrClosed):
		return
	}
	for tag := first; tag < next; tag++ {
		p.outbox.settle(tag, outcome)
	}
}

// end has nothing taken any more by whoever publishes.
func (p *publisher) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
}

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
