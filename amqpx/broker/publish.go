package broker

import "encoding/binary"

// content is a publish that is being received: the method, then a header, then the body.
type content struct {
	msg       *message // nil if none is being received
	mandatory bool
	immediate bool
	hasHeader bool
	size      int // the body's, as declared
}

// unexpected is the error for a frame out of place, in RabbitMQ's words.
func (ct *content) unexpected() error {
	switch {
	case ct.msg == nil:
		return errorf(unexpectedFrame, "expected method frame, got non method frame instead")
	case !ct.hasHeader:
		return errorf(unexpectedFrame, "expected content header for class 60, got non content header frame instead").
			during(basicPublish)
	}
	return errorf(unexpectedFrame, "expected content body, got non content body frame instead").during(basicPublish)
}

// names are the exchange and key published to last. Most publishes repeat them and need no new strings.
type names struct{ exchange, key string }

func reuse(last *string, b []byte) string {
	if *last != string(b) { // compares without allocating
		*last = string(b)
	}
	return *last
}

// basicPublish records where to route the content that follows. Flags: mandatory, immediate.
func (ch *channel) basicPublish(a *args) error {
	a.u16()
	exchange, key, flags := a.short(), a.short(), a.flags()
	if err := a.end(); err != nil {
		return err
	}
	ch.content = content{
		msg:       &message{exchange: reuse(&ch.names.exchange, exchange), key: reuse(&ch.names.key, key)},
		mandatory: flags&1 != 0,
		immediate: flags&2 != 0,
	}
	return nil
}

// contentHeader handles the header frame: class (2), weight (2), body size (8), then the properties, which
// are not decoded.
func (ch *channel) contentHeader(payload []byte) error {
	ct := &ch.content
	if ct.msg == nil || ct.hasHeader {
		return ct.unexpected()
	}
	if len(payload) < 14 || binary.BigEndian.Uint16(payload) != basicClass {
		return errorf(unexpectedFrame, "malformed content header frame").during(basicPublish)
	}
	size := binary.BigEndian.Uint64(payload[4:])
	if size > uint64(ch.b.cfg.MaxBody) {
		return errorf(preconditionFailed, "message size %d is larger than configured max size %d",
			size, ch.b.cfg.MaxBody).during(basicPublish)
	}
	if ch.c.pending+int(size) > 4*ch.b.cfg.MaxBody {
		return errorf(resourceError, "too many bodies are being received at once").during(basicPublish)
	}
	ch.c.pending += int(size)
	ct.hasHeader, ct.size = true, int(size)

	// Header and body share one allocation, unless the body is large: a declared size alone never
	// allocates more than a frame.
	n := len(payload)
	whole := append(make([]byte, 0, n+min(int(size), ch.c.frameMax)), payload...)
	ct.msg.header, ct.msg.body = whole[:n:n], whole[n:]
	if size == 0 {
		return ch.publish()
	}
	return nil
}

func (ch *channel) contentBody(payload []byte) error {
	ct := &ch.content
	if !ct.hasHeader {
		return ct.unexpected()
	}
	if len(ct.msg.body)+len(payload) > ct.size {
		return errorf(frameError, "more content than its header declared").during(basicPublish)
	}
	ct.msg.body = append(ct.msg.body, payload...)
	if len(ct.msg.body) < ct.size {
		return nil
	}
	return ch.publish()
}

// dropContent ends the reception of a content, complete or not.
func (ch *channel) dropContent() {
	ch.c.pending -= ch.content.size
	ch.content = content{}
}

// publish routes a complete message and confirms it, returns and confirms it, or refuses it.
func (ch *channel) publish() error {
	ct := ch.content
	ch.dropContent()
	if ct.immediate {
		return errorf(notImplemented, "immediate=true").during(basicPublish)
	}
	accepted, err := ch.route(ct.msg, ct.mandatory)
	if err == nil {
		ch.confirm(accepted)
	}
	return err
}

func (ch *channel) route(m *message, mandatory bool) (accepted bool, err error) {
	b := ch.b
	b.mu.Lock()
	defer b.mu.Unlock()
	x, err := b.exchange(m.exchange)
	if e, ok := err.(*amqpError); ok {
		return false, e.during(basicPublish)
	}
	if x != nil && x.internal {
		return false, errorf(accessRefused, "cannot publish to internal exchange '%s' in vhost '/'", x.name).
			during(basicPublish)
	}
	ch.c.publishes = true
	if b.alarm {
		ch.c.warn()
	}

	var one [1]*queue
	queues := one[:0]
	if x != nil {
		queues = x.route(m.key).queues
	} else if q := b.queues[m.key]; q != nil {
		queues = append(queues, q)
	}
	if len(queues) == 0 {
		if mandatory {
			ch.sendReturn(m)
		}
		return true, nil
	}
	if !b.hasRoom(m, len(queues)) {
		b.refused++
		return false, nil
	}
	for _, q := range queues {
		b.enqueue(q, m)
	}
	return true, nil
}

// sendReturn returns an unroutable message. It precedes its confirm in the outbound buffer.
func (ch *channel) sendReturn(m *message) {
	buf, mark := ch.begin(basicReturn)
	buf = append(buf, byte(noRoute>>8), byte(noRoute&0xff))
	buf = appendShort(buf, noRoute.String())
	buf = appendShort(buf, m.exchange)
	buf = appendShort(buf, m.key)
	buf = endFrame(buf, mark)
	ch.c.out.commit(appendContent(buf, ch.id, m, ch.c.frameMax))
}
