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
	takeNow atomic.Pointer[func(*amqp.Delivery) (taken bool)]

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
func (m *mender) register(tag string, channel *amqp.Channel) *inbox {
	in := &inbox{tag: tag, channel: channel, news: make(chan struct{}, 1)}
	inboxes := append(slices.Clip(m.registered()), in)
	m.inboxes.Store(&inboxes)
	return in
}

// registered returns the inboxes of all consumers.
func (m *mender) registered() []*inbox {
	if all := m.inboxes.Load(); all != nil {
		return *all
	}
	return nil
}

// take returns what has come, in order. It reuses the memory of the last call's result.
func (in *inbox) take(last []*amqp.Delivery) []*amqp.Delivery {
	clear(last)
	in.mu.Lock()
	defer in.mu.Unlock()
	come := in.queue
	in.queue = last[:0]
	return come
}

// put hands over the delivery that was read.
func (in *inbox) put() {
	d := in.delivery
	in.delivery = nil
	if take := in.takeNow.Load(); in.alone && take != nil && (*take)(d) {
		return
	}
	in.mu.Lock()
	in.queue = append(in.queue, d)
	in.mu.Unlock()
	in.wake()
}

// wake has the consumer look what there is to do.
func (in *inbox) wake() {
	select {
	case in.news <- struct{}{}:
	default:
	}
}

// waits reports whether something waits to be taken.
func (in *inbox) waits() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.queue) > 0
}

// inboxOf finds the inbox for the content on a channel, or nil.
func (m *mender) inboxOf(channel uint16) *inbox {
	for _, in := range m.registered() {
		if in.number == channel && in.delivery != nil {
			return in
		}
	}
	return nil
}

// interrupt drops the delivery that is being read on a channel: a method has come in between.
func (m *mender) interrupt(channel uint16) {
	if in := m.inboxOf(channel); in != nil {
		in.delivery = nil
	}
}

// Of a delivery: its class and method, and the length of the longest.
const (
	deliverMethod  = "\x00\x3c\x00\x3c"
	maxDeliverSize = 4 + 3*256 + 9
)

var errFrame = errors.New("the broker sent a malformed frame")

// takeOut reads the frame at buf[ready:], or what there is of it, if it belongs to a
// delivery to a registered consumer. All before it has been handed over. known is false if
// it does not, and more if it cannot be told yet, or not read.
func (m *mender) takeOut(frame []byte, kind byte, channel uint16, size uint32) (known, more bool) {
	whole := int(size) + frameAround
	switch in := m.inboxOf(channel); {
	case kind == methodFrame && m.confirms.Load().expects(channel, size):
		if len(frame) < whole {
			return false, true
		}
		if !m.confirms.Load().take(channel, frame[:whole]) {
			return false, false
		}
	case kind == methodFrame && size <= maxDeliverSize:
		if len(frame) < whole {
			return false, true
		}
		if !m.begin(channel, frame[:whole]) {
			return false, false
		}
	case kind == methodFrame:
		m.interrupt(channel)
		return false, false
	case in == nil:
		return false, false
	case m.limit > 0 && size > m.limit && kind == bodyFrame:
		m.err = errFrame
		return true, false
	case kind == bodyFrame:
		m.into, m.left = in, int(size)+1
		whole = frameHead
	case kind == headerFrame && size <= maxHeaderFrame:
		if len(frame) < whole {
			return false, true
		}
		header := frame[:whole]
		if anew := m.mend(header); anew != nil {
			header = anew
		}
		if header[len(header)-1] != frameEnd {
			m.err = errFrame
		} else {
			in.alone = len(frame) == whole
			m.err = in.header(header[frameHead : len(header)-1])
		}
	default:
		return false, false
	}
	m.passOver(whole)
	return true, false
}

// passOver goes on behind bytes that the library does not get.
func (m *mender) passOver(n int) {
	m.ready += n
	m.r = m.ready
	m.took = true
}

// takeBody gives the inbox what has come of the frame of a body.
func (m *mender) takeBody(come []byte) {
	part := come[:min(m.left, len(come))]
	m.left -= len(part)
	m.passOver(len(part))
	last := m.left == 0
	if last {
		if part[len(part)-1] != frameEnd {
			m.err = errFrame
			return
		}
		part = part[:len(part)-1]
	}
	m.into.alone = m.ready == m.w
	m.err = m.into.body(part, last)
}

// SetReadDeadline bounds the broker's silence. The library moves the deadline with each frame
// that it reads; the mender moves it as far for those that the library does not get.
func (m *mender) SetReadDeadline(t time.Time) error {
	m.silence.Store(int64(time.Until(t)))
	return m.Conn.SetReadDeadline(t)
}

// SetDeadline bounds the whole conversation, at its beginning and its end.
func (m *mender) SetDeadline(t time.Time) error {
	m.silence.Store(0)
	return m.Conn.SetDeadline(t)
}

// moveDeadline notes that deliveries have come. A sixteenth of the time is close enough.
func (m *mender) moveDeadline() {
	m.took = false
	silence := time.Duration(m.silence.Load())
	if silence <= 0 {
		return
	}
	if now := time.Now(); now.Sub(m.moved) > silence/16 {
		m.moved = now
		_ = m.Conn.SetReadDeadline(now.Add(silence)) // reading says what is wrong
	}
}

// begin starts a delivery if the frame, which is whole, is the method of one to a
// registered consumer. Any other method ends what was being delivered on the channel.
func (m *mender) begin(channel uint16, frame []byte) bool {
	m.interrupt(channel)
	payload, ok := bytes.CutPrefix(frame[frameHead:len(frame)-1], []byte(deliverMethod))
	if !ok || frame[len(frame)-1] != frameEnd {
		return false
	}
	tag, rest, ok := cutShort(payload)
	if !ok || len(rest) < 9 {
		return false
	}
	for _, in := range m.registered() {
		if in.tag != string(tag) {
			continue
		}
		exchange, key, ok := cutShort(rest[9:])
		if !ok {
			return false
		}
		if key, _, ok = cutShort(key); !ok {
			return false
		}
		if in.exchange != string(exchange) {
			in.exchange = string(exchange)
		}
		in.number, in.headed = channel, false
		in.route = append(in.route[:0], key...)
		in.delivery = &amqp.Delivery{
			Acknowledger: in.channel,
			ConsumerTag:  in.tag,
			DeliveryTag:  binary.BigEndian.Uint64(rest),
			Redelivered:  rest[8]&1 != 0,
			Exchange:     in.exchange,
		}
		return true
	}
	return false
}

// header reads the properties of a delivery that has begun. The payload was mended.
func (in *inbox) header(payload []byte) error {
	if in.headed || len(payload) < contentHead {
		return errFrame
	}
	in.headed, in.size = true, binary.BigEndian.Uint64(payload[4:])
	// Texts share their memory unless they are long: then a short one that somebody keeps
	// would keep them all.
	var t texts
	if n := len(in.route) + len(payload); n <= sharedTexts {
		in.route = append(in.route, payload...)
		t.all = string(in.route)
		t.at = len(t.all) - len(payload)
		in.delivery.RoutingKey = t.all[:t.at]
	} else {
		in.delivery.RoutingKey = string(in.route)
	}
	if !t.properties(payload, in.delivery) {
		return errFrame
	}
	in.delivery.Body = make([]byte, 0, min(in.size, maxBodyAhead))
	if in.size == 0 {
		in.put()
	}
	return nil
}

// maxBodyAhead is how much room for a body is made before any of it has come.
const maxBodyAhead = 128 << 10

// body takes some of a body, and whether the frame ends with it.
func (in *inbox) body(part []byte, last bool) error {
	d := in.delivery
	if !in.headed {
		return errFrame
	}
	d.Body = append(d.Body, part...)
	if last && uint64(len(d.Body)) >= in.size {
		in.put()
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
