package amqpx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Deliveries to the link's own consumers bypass the library. It reads a header octet by octet, with
// an allocation or two for each field, hands each delivery from one goroutine to the next, and
// moves its deadline with every frame. The interceptor sees every frame anyway, so it decodes those
// of registered consumers itself:
//
//	                   ┌─────► consumer              a delivery to a registered tag that came alone
//	socket ──► interceptor ──► inbox ──► consumer    deliveries to it that came together
//	                   └─────► library               everything else: answers, returns, heartbeats,
//	                                                 deliveries to other consumers
//
// A delivery that comes alone is handed over on the goroutine that reads it if the receiver allows
// it ([Queue.CanDeliver]): waking the consumer's goroutine takes as long as all other work for the
// delivery. Deliveries that come together are decoded on one processor while the consumer handles
// them on another.
//
// The library still subscribes, acknowledges and cancels, and it knows when a channel or the
// connection ends.

// inbox holds the deliveries that a consumer has not taken yet. The prefetch bounds them.
type inbox struct {
	tag     string
	channel *amqp.Channel

	news chan struct{} // holds a token once something has arrived

	mu    sync.Mutex
	queue []*amqp.Delivery // guarded by mu

	// tryDeliver hands over a delivery on the goroutine that reads, or returns false. It is set
	// before the session serves.
	tryDeliver atomic.Pointer[func(*amqp.Delivery) (taken bool)]

	// The following fields belong to the goroutine that reads.
	alone    bool           // nothing had been read after the last frame
	number   uint16         // of the channel; 0 before the first delivery
	delivery *amqp.Delivery // the one that is being read, or nil
	size     uint64         // of its body
	headed   bool           // its header was read
	route    []byte         // its routing key, until then
	exchange string         // of the last delivery
}

// register makes the interceptor take the deliveries to a consumer. It is called before the
// consumer subscribes, by the goroutine that connects; tags are unique on a connection.
func (ic *interceptor) register(tag string, channel *amqp.Channel) *inbox {
	b := &inbox{tag: tag, channel: channel, news: make(chan struct{}, 1)}
	inboxes := append(slices.Clip(ic.registered()), b)
	ic.inboxes.Store(&inboxes)
	return b
}

// registered returns the inboxes of all consumers.
func (ic *interceptor) registered() []*inbox {
	if all := ic.inboxes.Load(); all != nil {
		return *all
	}
	return nil
}

// take returns what has arrived, in order. It reuses the memory of the last result.
func (b *inbox) take(last []*amqp.Delivery) []*amqp.Delivery {
	clear(last)
	b.mu.Lock()
	defer b.mu.Unlock()
	come := b.queue
	b.queue = last[:0]
	return come
}

// put passes the delivery that was read to the consumer.
func (b *inbox) put() {
	d := b.delivery
	b.delivery = nil
	if take := b.tryDeliver.Load(); b.alone && take != nil && (*take)(d) {
		return
	}
	b.mu.Lock()
	b.queue = append(b.queue, d)
	b.mu.Unlock()
	b.wake()
}

// wake makes the consumer look for work.
func (b *inbox) wake() {
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// waits reports whether the inbox holds deliveries.
func (b *inbox) waits() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue) > 0
}

// inboxOf returns the inbox for the content on a channel, or nil.
func (ic *interceptor) inboxOf(channel uint16) *inbox {
	for _, b := range ic.registered() {
		if b.number == channel && b.delivery != nil {
			return b
		}
	}
	return nil
}

// interrupt drops the delivery that is being read on a channel, because a method has come in between.
func (ic *interceptor) interrupt(channel uint16) {
	if b := ic.inboxOf(channel); b != nil {
		b.delivery = nil
	}
}

// The class and method of a delivery, and the length of the longest one.
const (
	deliverMethod  = "\x00\x3c\x00\x3c"
	maxDeliverSize = 4 + 3*256 + 9
)

var errFrame = errors.New("the broker sent a malformed frame")

// intercept reads the frame at buf[ready:], as far as it has arrived, if it belongs to a delivery
// to a registered consumer. Everything before it has been handed over. taken reports whether it
// did; more, whether the rest of the frame is needed first.
func (ic *interceptor) intercept(frame []byte, kind byte, channel uint16, size uint32) (taken, more bool) {
	whole := int(size) + frameAround
	switch b := ic.inboxOf(channel); {
	case kind == methodFrame && ic.confirms.Load().expects(channel, size):
		if len(frame) < whole {
			return false, true
		}
		if !ic.confirms.Load().take(channel, frame[:whole]) {
			return false, false
		}
	case kind == methodFrame && size <= maxDeliverSize:
		if len(frame) < whole {
			return false, true
		}
		if !ic.begin(channel, frame[:whole]) {
			return false, false
		}
	case kind == methodFrame:
		ic.interrupt(channel)
		return false, false
	case b == nil:
		return false, false
	case ic.limit > 0 && size > ic.limit && kind == bodyFrame:
		ic.err = errFrame
		return true, false
	case kind == bodyFrame:
		ic.bodyInbox, ic.bodyLeft = b, int(size)+1
		whole = frameHead
	case kind == headerFrame && size <= maxHeaderFrame:
		if len(frame) < whole {
			return false, true
		}
		header := frame[:whole]
		if replaced := ic.sanitize(header); replaced != nil {
			header = replaced
		}
		if header[len(header)-1] != frameEnd {
			ic.err = errFrame
		} else {
			b.alone = len(frame) == whole
			ic.err = b.header(header[frameHead : len(header)-1])
		}
	default:
		return false, false
	}
	ic.skipIntercepted(whole)
	return true, false
}

// skipIntercepted skips bytes that the library does not get.
func (ic *interceptor) skipIntercepted(n int) {
	ic.ready += n
	ic.r = ic.ready
	ic.intercepted = true
}

// takeBody gives the inbox the part of a body frame that has arrived.
func (ic *interceptor) takeBody(come []byte) {
	part := come[:min(ic.bodyLeft, len(come))]
	ic.bodyLeft -= len(part)
	ic.skipIntercepted(len(part))
	last := ic.bodyLeft == 0
	if last {
		if part[len(part)-1] != frameEnd {
			ic.err = errFrame
			return
		}
		part = part[:len(part)-1]
	}
	ic.bodyInbox.alone = ic.ready == ic.w
	ic.err = ic.bodyInbox.body(part, last)
}

// SetReadDeadline bounds the broker's silence. The library moves the deadline with each frame that it
// reads; the interceptor does so for the frames that the library does not get.
func (ic *interceptor) SetReadDeadline(t time.Time) error {
	ic.idleTimeout.Store(int64(time.Until(t)))
	return ic.Conn.SetReadDeadline(t)
}

// SetDeadline bounds the whole conversation, at its start and its end.
func (ic *interceptor) SetDeadline(t time.Time) error {
	ic.idleTimeout.Store(0)
	return ic.Conn.SetDeadline(t)
}

// extendDeadline moves the deadline after deliveries. It does so only once a sixteenth of the
// time has passed.
func (ic *interceptor) extendDeadline() {
	ic.intercepted = false
	silence := time.Duration(ic.idleTimeout.Load())
	if silence <= 0 {
		return
	}
	if now := time.Now(); now.Sub(ic.deadlineMoved) > silence/16 {
		ic.deadlineMoved = now
		_ = ic.Conn.SetReadDeadline(now.Add(silence)) // a failure shows when the connection is read
	}
}

// begin starts a delivery if the frame, which is complete, is the delivery method for a
// registered consumer. Any other method ends the delivery in progress on the channel.
func (ic *interceptor) begin(channel uint16, frame []byte) bool {
	ic.interrupt(channel)
	payload, ok := bytes.CutPrefix(frame[frameHead:len(frame)-1], []byte(deliverMethod))
	if !ok || frame[len(frame)-1] != frameEnd {
		return false
	}
	tag, rest, ok := cutShort(payload)
	if !ok || len(rest) < 9 {
		return false
	}
	for _, b := range ic.registered() {
		if b.tag != string(tag) {
			continue
		}
		exchange, key, ok := cutShort(rest[9:])
		if !ok {
			return false
		}
		if key, _, ok = cutShort(key); !ok {
			return false
		}
		if b.exchange != string(exchange) {
			b.exchange = string(exchange)
		}
		b.number, b.headed = channel, false
		b.route = append(b.route[:0], key...)
		b.delivery = &amqp.Delivery{
			Acknowledger: b.channel,
			ConsumerTag:  b.tag,
			DeliveryTag:  binary.BigEndian.Uint64(rest),
			Redelivered:  rest[8]&1 != 0,
			Exchange:     b.exchange,
		}
		return true
	}
	return false
}

// header reads the properties of a delivery that has begun. The payload was sanitized.
func (b *inbox) header(payload []byte) error {
	if b.headed || len(payload) < contentHead {
		return errFrame
	}
	b.headed, b.size = true, binary.BigEndian.Uint64(payload[4:])
	// The texts of a short header share their memory. Those of a long one do not, because a
	// receiver that keeps one text would keep them all.
	var t texts
	if n := len(b.route) + len(payload); n <= sharedTexts {
		b.route = append(b.route, payload...)
		t.all = string(b.route)
		t.at = len(t.all) - len(payload)
		b.delivery.RoutingKey = t.all[:t.at]
	} else {
		b.delivery.RoutingKey = string(b.route)
	}
	if !t.properties(payload, b.delivery) {
		return errFrame
	}
	b.delivery.Body = make([]byte, 0, min(b.size, maxBodyAhead))
	if b.size == 0 {
		b.put()
	}
	return nil
}

// maxBodyAhead is how much memory is allocated for a body before any of it has arrived.
const maxBodyAhead = 128 << 10

// body appends a part of a body. last reports whether it is the last part of its frame.
func (b *inbox) body(part []byte, last bool) error {
	d := b.delivery
	if !b.headed {
		return errFrame
	}
	d.Body = append(d.Body, part...)
	if last && uint64(len(d.Body)) >= b.size {
		b.put()
	}
	return nil
}

// cutShort cuts a short string off the front.
func cutShort(b []byte) (short, rest []byte, ok bool) {
	if len(b) == 0 || 1+int(b[0]) > len(b) {
		return nil, nil, false
	}
	end := 1 + int(b[0])
	return b[1:end], b[end:], true
}
