package broker

import (
	"bufio"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"
)

// readBuffer is how much of a connection's input is read at once.
const readBuffer = 32 << 10

// conn is one client's connection. Its reader goroutine (run) owns the fields headed "Reader state".
type conn struct {
	b     *Broker
	nc    net.Conn
	log   *slog.Logger
	out   *outbound
	ended chan struct{} // closed when nothing of the connection is left

	// closeBy is the time by which the client must have hung up, in Unix nanoseconds; 0 while the
	// connection is in use. Set by the reader, or by Broker.Close.
	closeBy atomic.Int64

	// Settled by the handshake, read-only afterwards.
	frameMax   int
	channelMax int
	heartbeat  time.Duration
	caps       capabilities

	// Reader state.
	in      frameReader
	pending int        // bytes of message bodies still being received
	unsent  []*channel // channels with confirms to send

	// Written by the reader only, and under b.mu.
	channels map[uint16]*channel

	// Guarded by b.mu.
	publishes bool // has published, so it is sent connection.blocked
	warned    bool // has been sent connection.blocked
	released  bool
}

// capabilities are the extensions that the client supports, by its own properties.
type capabilities struct {
	cancelNotify, blocked, authFailureClose bool
}

func newConn(b *Broker, nc net.Conn) *conn {
	c := &conn{
		b:        b,
		nc:       nc,
		log:      b.log.With("remote", nc.RemoteAddr().String()),
		out:      newOutbound(nc, b.cfg.MaxOutbound, b.cfg.WriteTimeout),
		ended:    make(chan struct{}),
		frameMax: frameMinMax,
		channels: make(map[uint16]*channel),
	}
	c.in = frameReader{r: bufio.NewReaderSize(confirmingReader{c}, readBuffer), max: preTuneFrameMax}
	return c
}

// confirmingReader reads from the socket. It is called only when the buffer holds no whole frame, which is
// the time to send the confirms that are due, in one multiple ack for each channel.
type confirmingReader struct{ c *conn }

func (r confirmingReader) Read(p []byte) (int, error) {
	c := r.c
	c.sendConfirms()
	if c.heartbeat > 0 {
		// Two intervals without a byte mean that the client is gone (AMQP 0-9-1, section 4.2.7).
		_ = c.nc.SetReadDeadline(time.Now().Add(2 * c.heartbeat))
	}
	if by := c.closeBy.Load(); by != 0 {
		_ = c.nc.SetReadDeadline(time.Unix(0, by))
	}
	return c.nc.Read(p)
}

// run is the connection's reader goroutine, from the first byte to the last.
func (c *conn) run() {
	go c.out.run(c.resumeDeliveries)
	err := c.serve()
	c.release()
	if refused := (*amqpError)(nil); errors.As(err, &refused) {
		c.log.Warn("connection closed by the broker", "reason", refused)
		c.sendConfirms() // for the publishes before the violation
		c.sendClose(refused)
		err = c.awaitHangup()
	}
	c.out.finish()
	if err != nil {
		_ = c.nc.Close()
	}
	<-c.out.done
	_ = c.nc.Close()

	c.b.mu.Lock()
	delete(c.b.conns, c)
	c.b.mu.Unlock()
	c.log.Debug("client gone", "reason", err)
	close(c.ended)
}

// serve is the connection's life in order: handshake, then frames until either side closes. It returns an
// *amqpError when the broker has to close, nil after an orderly end, and otherwise what broke the connection.
func (c *conn) serve() error {
	if err := c.handshake(); err != nil {
		return err
	}
	c.log.Debug("client connected")
	for {
		c.out.waitRoom()
		fr, err := c.in.next()
		if err != nil {
			return err
		}
		if c.closeBy.Load() != 0 {
			return c.afterShutdown(fr)
		}
		if fr.kind == frameMethod && fr.channel == 0 {
			if done, err := c.method0(fr.payload); done || err != nil {
				return err
			}
			continue
		}
		if err := c.frame(fr); err != nil {
			return err
		}
	}
}

// method0 handles what a client may still call on channel 0 once the connection is open.
func (c *conn) method0(payload []byte) (done bool, err error) {
	a := args{b: payload}
	id := methodID(a.u32())
	switch {
	case a.bad:
		return false, errorf(frameError, "method frame without a method")
	case id == connectionClose:
		// Everything is released first: when close-ok arrives, exclusive queues are gone.
		c.sendConfirms()
		c.release()
		c.sendPlain(0, connectionCloseOk)
		return true, c.awaitHangup()
	case id == connectionUpdateSecret:
		return false, c.updateSecret(&a)
	case id.class() == channelOpen.class() || id.class() >= exchangeDeclare.class():
		return false, errorf(commandInvalid, "a channel method was called on channel 0").during(id)
	}
	return false, errorf(commandInvalid, "this method is not expected on an open connection").during(id)
}

// updateSecret answers a client whose credentials have been renewed. Like RabbitMQ with its
// internal users, it ignores the new secret: a login by password does not expire.
func (c *conn) updateSecret(a *args) error {
	a.long()  // the secret
	a.short() // the reason
	if err := a.end(); err != nil {
		return errorf(frameError, "the method's arguments are cut short or malformed").during(connectionUpdateSecret)
	}
	c.sendPlain(0, connectionUpdateSecretOk)
	return nil
}

// frame hands one frame to its channel.
func (c *conn) frame(fr frame) error {
	if fr.kind == frameHeartbeat {
		if fr.channel != 0 || len(fr.payload) != 0 {
			return errorf(frameError, "heartbeat frames are empty and belong to channel 0")
		}
		return nil
	}
	if fr.channel == 0 {
		return errorf(unexpectedFrame, "a content frame arrived on channel 0")
	}
	ch := c.channels[fr.channel]
	if ch == nil {
		return c.openChannel(fr)
	}
	err := ch.frame(fr)
	if e := (*amqpError)(nil); errors.As(err, &e) && !e.code.closesConnection() {
		ch.closeWith(e)
		return nil
	}
	return err
}

// release frees everything that the connection holds: consumers, unacknowledged messages, exclusive
// queues. It may be called twice.
func (c *conn) release() {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if c.released {
		return
	}
	c.released = true
	for _, ch := range c.channels {
		ch.release()
	}
	for _, q := range c.b.queues {
		if q.owner == c {
			c.b.deleteQueue(q)
		}
	}
}

// resumeDeliveries resumes the deliveries that paused because the outbound buffer was full.
func (c *conn) resumeDeliveries() {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if c.released {
		return
	}
	for _, ch := range c.channels {
		ch.pumpAll()
	}
}

// sendPlain sends a method without arguments.
func (c *conn) sendPlain(channel uint16, id methodID) {
	buf, mark := beginMethod(c.out.begin(), channel, id)
	c.out.commit(endFrame(buf, mark))
}
