package amqpx

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Publishes and their confirms bypass the library. The library writes a header field by field
// through encoding/binary, wakes a goroutine for each message to postpone the next heartbeat, and
// passes a confirm from its reader to the goroutine that waits for it, just when an answer is
// urgent. Here the frames of all messages that can be sent leave in one write, and a confirm
// settles its message on the goroutine that reads it:
//
//	Publish ──► outbox ──► publisher ──► socket
//	               └◄── confirms ◄── interceptor ◄── socket    acks and nacks on the publishing channel
//	                                   └──► library            everything else: returns, answers, heartbeats
//
// The library still opens and closes the channel, puts it into confirm mode, and receives
// returned messages.

// publisher writes the publishes of a session.
type publisher struct {
	outbox *outbox
	frames publishFrames
	conn   net.Conn    // the network, or TLS on it
	socket *socket     // the network if there is no TLS; else nil
	closed func() bool // reports whether the channel was closed

	// mu guards the following fields. It is held while a batch is written.
	mu     sync.Mutex
	batch  []byte // what is written next
	failed error  // a batch was not written, so the broker's tags differ
	ended  bool   // the session is over, and tags are those of the next one
}

// maxWrite is about how much is written at once.
const maxWrite = 32 << 10

// publishAll writes everything that can be sent now.
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

// maxInlineBody is the longest body of a message that is sent by the goroutine that publishes it.
const maxInlineBody = 16 << 10

// tryPublish writes one message if that does not block. The publishing goroutine calls it when
// nothing else is pending, because waking the sending goroutine would take longer. It reports
// whether the sending goroutine has nothing left to do.
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

// collect appends messages to the batch until it has the given number of bytes. Their tags are
// first up to next, exclusive. mu is held.
func (p *publisher) collect(bytes int) (first, next uint64) {
	for len(p.batch) < bytes {
		m, tag := p.outbox.take(time.Now())
		if m == nil {
			break
		}
		if next == 0 {
			first = tag
		}
		next = tag + 1
		p.batch = p.frames.append(p.batch, &m.msg)
		m.msg.Body = nil // long bodies need not stay until their confirms
	}
	return first, next
}

// maxWriteDelay is how old a batch may be when it is written. It takes no longer than collecting it,
// unless the process was paused meanwhile.
const maxWriteDelay = time.Second

var errProcessPaused = errors.New("the process was paused while it was sending, and the messages would be late")

// write writes the batch, which was begun at the given time. mu is held.
func (p *publisher) write(to func([]byte) (int, error), began time.Time) (err error) {
	defer func() { p.failed = err }()
	batch := p.batch
	if p.batch = batch[:0]; cap(batch) > 4*maxWrite {
		p.batch = nil
	}
	if p.closed() {
		return amqp.ErrClosed
	}
	// The wall clock goes on while the machine is suspended.
	if time.Now().Round(0).Sub(began.Round(0)) > maxWriteDelay {
		return errProcessPaused
	}
	_, err = to(batch)
	return err
}

// unsent ends messages that were certainly not written. The others end with the session, which must
// end now because the broker's tags differ.
func (p *publisher) unsent(first, next uint64, err error) {
	outcome := Disconnected
	switch {
	case errors.Is(err, errProcessPaused):
		outcome = Expired
	case !errors.Is(err, amqp.ErrClosed):
		return
	}
	for tag := first; tag < next; tag++ {
		p.outbox.settle(tag, outcome)
	}
}

// end makes tryPublish send no more messages.
func (p *publisher) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
}

// confirms reads the broker's acks and nacks for messages published on one channel.
type confirms struct {
	channel uint16 // the first on the connection that confirms; 0 until the broker has confirmed the mode

	// mu guards the following field, and is held while a message ends.
	mu     sync.Mutex
	settle func(tag uint64, multiple, ack bool) // nil once the session has ended
}

// takeConfirms makes the interceptor take the confirms of the next channel that is put into
// confirm mode. The goroutine that connects calls it before that.
func (ic *interceptor) takeConfirms(settle func(tag uint64, multiple, ack bool)) *confirms {
	c := &confirms{settle: settle}
	ic.confirms.Store(c)
	return c
}

// end stops the settling: the tags of the next session begin anew, and late confirms of this one must
// not settle them.
func (c *confirms) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle = nil
}

// The confirming methods, and the broker's answer to confirm.select. An ack or a nack has a tag and
// an octet of flags.
const (
	ackMethod      = "\x00\x3c\x00\x50"
	nackMethod     = "\x00\x3c\x00\x78"
	selectOkMethod = "\x00\x55\x00\x0b"

	confirmSize  = len(ackMethod) + 9
	selectOkSize = len(selectOkMethod)

	multipleFlag = 1
)

// expects reports whether a method of this size may be one of these.
func (c *confirms) expects(channel uint16, size uint32) bool {
	switch {
	case c == nil:
		return false
	case c.channel == 0:
		return size == uint32(selectOkSize)
	}
	return channel == c.channel && size == uint32(confirmSize)
}

// take takes an expected frame unless it belongs to the library.
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
