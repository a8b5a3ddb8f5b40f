package broker

import (
	"context"
	"log/slog"
)

// channel is one channel of a connection.
type channel struct {
	c  *conn
	b  *Broker
	id uint16

	// Reader state.
	closing   bool    // channel.close is on its way; only close-ok counts
	content   content // the publish whose frames are arriving
	confirms  confirms
	lastQueue string // what an empty queue name stands for
	names     names

	// Guarded by b.mu.
	consumers map[string]*consumer
	unacked   deque[unacked] // ascending by tag
	nextTag   uint64
	prefetch  int // for each consumer to come, 0: unlimited
	shared    int // for all consumers together, 0: unlimited
	inFlight  int // unacknowledged deliveries to consumers
}

// openChannel handles a frame for a channel that is not open: only channel.open may come.
func (c *conn) openChannel(fr frame) error {
	a := args{b: fr.payload}
	if fr.kind != frameMethod {
		return errorf(channelError, "expected 'channel.open'")
	}
	if id := methodID(a.u32()); id != channelOpen {
		return errorf(channelError, "expected 'channel.open'").during(id)
	}
	if int(fr.channel) > c.channelMax {
		return errorf(notAllowed, "channel number %d is above the negotiated channel_max (%d)", fr.channel, c.channelMax).
			during(channelOpen)
	}
	ch := &channel{c: c, b: c.b, id: fr.channel, consumers: make(map[string]*consumer)}
	c.b.mu.Lock()
	c.channels[fr.channel] = ch
	c.b.mu.Unlock()
	buf, mark := ch.begin(channelOpenOk)
	ch.end(appendLong(buf, ""), mark)
	return nil
}

// frame handles one frame of the channel. A soft *amqpError ends the channel, any other error the
// connection.
func (ch *channel) frame(fr frame) error {
	if ch.closing {
		return ch.frameAfterClose(fr)
	}
	switch fr.kind {
	case frameMethod:
		if ch.content.msg != nil {
			return ch.content.unexpected()
		}
		a := args{b: fr.payload}
		id := methodID(a.u32())
		if a.bad {
			return errorf(frameError, "method frame without a method")
		}
		err := ch.method(id, &a)
		if e, ok := err.(*amqpError); ok && e.method == 0 {
			e.method = id
		}
		return err
	case frameHeader:
		return ch.contentHeader(fr.payload)
	case frameBody:
		return ch.contentBody(fr.payload)
	}
	return errorf(frameError, "unknown frame type %d", fr.kind)
}

// frameAfterClose ignores what was sent before the client learned that the channel is closed.
func (ch *channel) frameAfterClose(fr frame) error {
	if fr.kind != frameMethod {
		return nil
	}
	a := args{b: fr.payload}
	switch methodID(a.u32()) {
	case channelCloseOk:
		ch.forget()
	case channelClose: // both sides closed at once
		ch.c.sendPlain(ch.id, channelCloseOk)
	case channelOpen: // the client took our close for the answer to its own close
		ch.forget()
		return ch.c.openChannel(fr)
	}
	return nil
}

// method handles a method on an open channel. basic.publish, by far the most frequent, only records its
// arguments; the others run under the broker's lock.
func (ch *channel) method(id methodID, a *args) error {
	if id == basicPublish {
		return ch.basicPublish(a)
	}
	if id == channelClose {
		ch.c.sendConfirms()
		ch.forget()
		ch.c.sendPlain(ch.id, channelCloseOk)
		return nil
	}
	ch.b.mu.Lock()
	defer ch.b.mu.Unlock()
	switch id {
	case channelOpen:
		return errorf(channelError, "second 'channel.open' seen")
	case channelFlow:
		return ch.flow(a)
	case exchangeDeclare:
		return ch.exchangeDeclare(a)
	case exchangeDelete:
		return ch.exchangeDelete(a)
	case queueDeclare:
		return ch.queueDeclare(a)
	case queueBind:
		return ch.queueBind(a)
	case queueUnbind:
		return ch.queueUnbind(a)
	case queuePurge:
		return ch.queuePurge(a)
	case queueDelete:
		return ch.queueDelete(a)
	case confirmSelect:
		return ch.confirmSelect(a)
	case exchangeBind, exchangeUnbind:
		return errorf(notImplemented, "this broker binds queues to exchanges, but no exchanges to exchanges")
	}
	if id.class() == txClass {
		return errorf(notImplemented, "this broker has no transactions")
	}
	return ch.basicMethod(id, a)
}

func (ch *channel) basicMethod(id methodID, a *args) error {
	switch id {
	case basicQos:
		return ch.basicQos(a)
	case basicConsume:
		return ch.basicConsume(a)
	case basicCancel:
		return ch.basicCancel(a)
	case basicGet:
		return ch.basicGet(a)
	case basicAck:
		return ch.basicAck(a)
	case basicNack:
		return ch.basicNack(a)
	case basicReject:
		return ch.basicReject(a)
	case basicRecover, basicRecoverAsync:
		return ch.basicRecover(id, a)
	}
	return errorf(commandInvalid, "unknown method %d.%d", id.class(), id.number())
}

// flow answers as RabbitMQ does: deliveries are limited by the prefetch, not by channel.flow.
func (ch *channel) flow(a *args) error {
	active := a.flags()
	if err := a.end(); err != nil {
		return err
	}
	if active&1 == 0 {
		return errorf(notImplemented, "active=false")
	}
	buf, mark := ch.begin(channelFlowOk)
	ch.end(append(buf, 1), mark)
	return nil
}

// closeWith closes the channel after a violation by the client.
func (ch *channel) closeWith(e *amqpError) {
	level := slog.LevelWarn
	if e.asked {
		level = slog.LevelDebug // a bridge asks every few seconds whether an actor's queue is there
	}
	ch.c.log.Log(context.Background(), level, "channel closed by the broker", "channel", ch.id, "reason", e)
	ch.c.sendConfirms()
	ch.dropContent()
	ch.b.mu.Lock()
	ch.release()
	ch.b.mu.Unlock()
	ch.closing = true
	buf, mark := ch.begin(channelClose)
	ch.end(appendError(buf, e), mark)
}

// forget removes the channel; its number is free again.
func (ch *channel) forget() {
	ch.dropContent()
	ch.b.mu.Lock()
	defer ch.b.mu.Unlock()
	ch.release()
	delete(ch.c.channels, ch.id)
}

// release gives back the channel's consumers and unacknowledged messages. Consumers go first, so that
// no message returns to the channel that just lost it.
func (ch *channel) release() {
	for _, cs := range ch.consumers {
		ch.b.removeConsumer(cs)
	}
	_ = ch.settle(0, true, true) // all of them, which cannot fail
}

// begin starts a method frame on this channel, and locks the outbound buffer until end.
func (ch *channel) begin(id methodID) (buf []byte, mark int) {
	return beginMethod(ch.c.out.begin(), ch.id, id)
}

func (ch *channel) end(buf []byte, mark int) {
	ch.c.out.commit(endFrame(buf, mark))
}
