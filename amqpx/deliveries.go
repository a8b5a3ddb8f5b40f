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

// Deliveries to the link's own consumers do not pass through the library. It reads a
// header octet by octet, with an allocation or two for each field, hands each delivery over
// from one goroutine to the next, and moves its deadline with every frame. The mender has
// every frame in hand already, so it decodes those of registered consumers itself:
//
//	              ┌─────► consumer                   what was delivered alone to a registered tag
//	socket ──► mender ──► inbox ──► consumer         what was delivered to it among others
//	              └─────► library                    everything else: answers, returns, heartbeats,
//	                                                 the deliveries to anybody else
//
// What comes alone is taken where it is read, if the receiver lets it ([Queue.CanDeliver]): to wake
// the consumer's goroutine takes as long as all else that is done with it. What comes with
// others behind it is decoded on one processor while the consumer takes it on another.
//
// The library still subscribes, acknowledges, cancels, and knows when a channel or the
// connection ends.

// inbox has the deliveries to one consumer that it has not taken yet. The prefetch bounds
// them.
type inbox struct {
	tag     string
	channel *amqp.Channel

	news chan struct{} // holds a token once something has come

	mu    sync.Mutex
	queue []*amqp.Delivery // guarded by mu

	// takeNow takes a delivery on the goroutine that reads, or leaves it to the queue. It is
	// set before the session serves.
	tryDeliver atomic.Pointer[func(*amqp.Delivery) (taken bool)]

	// The following fields belong to the goroutine that reads.
	alone    bool           // nothing was read behind what was read last
	number   uint16         // of the channel; 0 before the first delivery
	delivery *amqp.Delivery // the one that is being read, or nil
	size     uint64         // of its body
	headed   bool           // its header was read
	route    []byte         // its exchange and routing key, until then
	exchange string         // of the last delivery
}

// register has the mender take the deliveries to a consumer. It comes before the consumer
// subscribes, from the goroutine that connects; no two tags on a connection are the same.
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

// take returns what has come, in order. It reuses the memory of the last call's result.
func (b *inbox) take(last []*amqp.Delivery) []*amqp.Delivery {
	clear(last)
	b.mu.Lock()
	defer b.mu.Unlock()
	come := b.queue
	b.queue = last[:0]
	return come
}

// put hands over the delivery that was read.
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

// wake has the consumer look what there is to do.
func (b *inbox) wake() {
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// waits reports whether something waits to be taken.
func (b *inbox) waits() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue) > 0
}

// inboxOf finds the inbox for the content on a channel, or nil.
func (ic *interceptor) inboxOf(channel uint16) *inbox {
	for _, b := range ic.registered() {
		if b.number == channel && b.delivery != nil {
			return b
		}
	}
	return nil
}

// interrupt drops the delivery that is being read on a channel: a method has come in between.
func (ic *interceptor) interrupt(channel uint16) {
	if b := ic.inboxOf(channel); b != nil {
		b.delivery = nil
	}
}

// Of a delivery: its class and method, and the length of the longest.
const (
	deliverMethod  = "\x00\x3c\x00\x3c"
	maxDeliverSize = 4 + 3*256 + 9
)

var errFrame = errors.New("the broker sent a malformed frame")

// intercept reads the frame at buf[ready:], or what there is of it, if it belongs to a
// delivery to a registered consumer. All before it has been handed over. known is false if
// it does not, and more if it cannot be told yet, or not read.
func (ic *interceptor) intercept(frame []byte, kind byte, channel uint16, size uint32) (known, more bool) {
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
		if anew := ic.sanitize(header); anew != nil {
			header = anew
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

// skipIntercepted goes on behind bytes that the library does not get.
func (ic *interceptor) skipIntercepted(n int) {
	ic.ready += n
	ic.r = ic.ready
	ic.intercepted = true
}

// takeBody gives the inbox what has come of the frame of a body.
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

// SetReadDeadline bounds the broker's silence. The library moves the deadline with each frame
// that it reads; the mender moves it as far for those that the library does not get.
func (ic *interceptor) SetReadDeadline(t time.Time) error {
	ic.idleTimeout.Store(int64(time.Until(t)))
	return ic.Conn.SetReadDeadline(t)
}

// SetDeadline bounds the whole conversation, at its beginning and its end.
func (ic *interceptor) SetDeadline(t time.Time) error {
	ic.idleTimeout.Store(0)
	return ic.Conn.SetDeadline(t)
}

// extendDeadline notes that deliveries have come. A sixteenth of the time is close enough.
func (ic *interceptor) extendDeadline() {
	ic.intercepted = false
	silence := time.Duration(ic.idleTimeout.Load())
	if silence <= 0 {
		return
	}
	if now := time.Now(); now.Sub(ic.deadlineMoved) > silence/16 {
		ic.deadlineMoved = now
		_ = ic.Conn.SetReadDeadline(now.Add(silence)) // reading says what is wrong
	}
}

// begin starts a delivery if the frame, which is whole, is the method of one to a
// registered consumer. Any other method ends what was being delivered on the channel.
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

// header reads the properties of a delivery that has begun. The payload was mended.
func (b *inbox) header(payload []byte) error {
	if b.headed || len(payload) < contentHead {
		return errFrame
	}
	b.headed, b.size = true, binary.BigEndian.Uint64(payload[4:])
	// Texts share their memory unless they are long: then a short one that somebody keeps
	// would keep them all.
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

// maxBodyAhead is how much room for a body is made before any of it has come.
const maxBodyAhead = 128 << 10

// body takes some of a body, and whether the frame ends with it.
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
