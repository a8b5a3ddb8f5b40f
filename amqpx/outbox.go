package amqpx

import (
	"sync"
	"sync/atomic"
	"time"
)

// publish is a message to be sent, with its outcome pending.
type publish struct {
	msg      Message
	done     func(Outcome)
	prev     *publish  // the previous one in the sender's queue
	next     *publish  // the next one
	deadline time.Time // for its confirm
	expires  int64     // it must not be sent after this, in nanoseconds since 1970
	sent     time.Time // when it was sent
	ready    bool      // the queues that it needs were found
	returned bool      // the broker returned it; its confirm follows
	ended    bool      // done was called; only its slot in the ring is still held
}

// expired reports whether the message must not be sent any more. It also checks the wall
// clock, because the monotonic clock stops while the machine is suspended.
func (p *publish) expired(now time.Time) bool {
	return now.After(p.deadline) || now.UnixNano() > p.expires
}

// outbox holds the pending messages, and those in flight, which wait for their confirm. It
// outlives connections, and refuses messages while there is none.
type outbox struct {
	timeout    time.Duration // from Publish to the deadline
	stallAfter time.Duration // no message is sent while another has waited this long for its confirm
	checks     bool          // check that the queues a message needs exist before it is sent
	wake       chan struct{} // holds a token when there is something to send, or room to send it
	// sendNow sends the only pending message on the caller's goroutine. It reports whether the
	// sending goroutine has nothing to do.
	sendNow atomic.Pointer[func() (done bool)]

	figures figures

	// mu guards the following fields.
	mu      sync.Mutex
	refusal Outcome // why Publish refuses messages; Confirmed if it does not
	queue   sendQueue
	// window is a ring of the messages in flight by delivery tag; a slot is nil once confirmed.
	window []*publish
	oldest uint64 // the lowest tag without a confirm
	next   uint64 // the tag of the next message sent
	closed bool   // for good
	idle   chan struct{}
}

func newOutbox(capacity, window int, timeout time.Duration) *outbox {
	return &outbox{
		timeout:    timeout,
		stallAfter: timeout / 30,
		wake:       make(chan struct{}, 1),
		refusal:    Disconnected,
		queue:      newSendQueue(capacity),
		window:     make([]*publish, window),
		oldest:     1,
		next:       1,
	}
}

// put accepts a message, or refuses it at once.
func (o *outbox) put(msg Message, done func(Outcome)) {
	now := time.Now()
	p := &publish{msg: msg, done: done, deadline: now.Add(o.timeout), ready: len(msg.Needs) == 0 || !o.checks}
	p.expires = p.deadline.UnixNano()
	if !msg.Deadline.IsZero() {
		p.expires = min(p.expires, msg.Deadline.UnixNano())
	}
	o.mu.Lock()
	refusal, evicted := o.admit(p, now)
	alone := o.oldest == o.next && o.queue.messages == 1 && p.ready && len(msg.Body) <= maxInlineBody
	o.mu.Unlock()
	for _, other := range evicted {
		o.figures.end(other, Full)
	}
	if refusal != Confirmed {
		o.figures.end(p, refusal)
		return
	}
	// No other message could leave in the same write.
	if send := o.sendNow.Load(); alone && send != nil && (*send)() {
		return
	}
	o.signal()
}

// setSendNow sets the function by which the publishing goroutine sends a message; nil if it
// must not.
func (o *outbox) setSendNow(send func() (done bool)) {
	if send == nil {
		o.sendNow.Store(nil)
		return
	}
	o.sendNow.Store(&send)
}

// admit appends a message to the queue, evicting others if need be, or returns why not. mu is
// held.
func (o *outbox) admit(p *publish, now time.Time) (refusal Outcome, evicted []*publish) {
	if o.refusal != Confirmed {
		return o.refusal, nil
	}
	if p.expired(now) {
		return Expired, nil
	}
	ok, evicted := o.queue.admits(p)
	if !ok {
		return Full, nil
	}
	o.queue.push(p)
	return Confirmed, evicted
}

// signal wakes the sending goroutine. One pending signal is enough.
func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// open starts a new series of delivery tags for a new channel, and accepts messages.
func (o *outbox) open() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.oldest, o.next = 1, 1
	o.refusal = Confirmed
}

// take moves the next message into the window and returns it with its tag, or nil if nothing can be
// sent. It never returns a message past its deadline, one whose sender is gone, or one that was withdrawn.
func (o *outbox) take(now time.Time) (*publish, uint64) {
	o.mu.Lock()
	p, unsent := o.head(now)
	if p == nil || !p.ready {
		o.mu.Unlock()
		o.end(unsent)
		return nil, 0
	}
	o.queue.pop()
	p.sent = now
	tag := o.next
	o.next++
	o.window[tag%uint64(len(o.window))] = p
	o.mu.Unlock()
	o.end(unsent)
	return p, tag
}

// unsent is a message that will not be sent, and its outcome.
type unsent struct {
	p       *publish
	outcome Outcome
}

// head returns the next message to send, or nil, and the messages removed before it because they must
// not be sent: the caller ends them without the lock. mu is held.
func (o *outbox) head(now time.Time) (*publish, []unsent) {
	var dropped []unsent
	if !o.canSend(now) {
		return nil, nil
	}
	for p := o.queue.head(); p != nil; p = o.queue.head() {
		switch {
		case p.expired(now):
			dropped = append(dropped, unsent{p, Expired})
		case p.msg.From != nil && p.msg.From.Gone(), p.msg.Withdrawn != nil && p.msg.Withdrawn():
			dropped = append(dropped, unsent{p, Gone})
		default:
			return p, dropped
		}
		o.queue.skip()
	}
	o.noteIdle()
	return nil, dropped
}

// end reports the outcomes of unsent messages to their senders.
func (o *outbox) end(messages []unsent) {
	for _, m := range messages {
		o.figures.end(m.p, m.outcome)
	}
}

// canSend reports whether another message may be sent now. A broker with a long overdue confirm may
// have stalled. Messages sent to it would stay in the network until it wakes, and arrive late;
// messages that wait here end at their deadline. mu is held.
func (o *outbox) canSend(now time.Time) bool {
	if o.oldest == o.next {
		return true
	}
	oldest := o.window[o.oldest%uint64(len(o.window))]
	return o.next-o.oldest < uint64(len(o.window)) && now.Sub(oldest.sent) < o.stallAfter
}

// markReturned notes that the broker returned a message. Its confirm follows (the broker sends a return
// before its confirm), so it is in the window.
func (o *outbox) markReturned(messageID string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for tag := o.oldest; tag < o.next; tag++ {
		p := o.window[tag%uint64(len(o.window))]
		if p != nil && !p.returned && p.msg.MessageId == messageID {
			p.returned = true
			return
		}
	}
}

// settle ends the message with the tag, and frees its slot.
func (o *outbox) settle(tag uint64, outcome Outcome) {
	o.mu.Lock()
	if tag < o.oldest || tag >= o.next {
		o.mu.Unlock()
		return
	}
	slot := tag % uint64(len(o.window))
	p := o.window[slot]
	o.window[slot] = nil
	if p != nil && (outcome == Confirmed || outcome == Refused) {
		o.figures.confirmed(time.Since(p.sent))
	}
	for o.oldest < o.next && o.window[o.oldest%uint64(len(o.window))] == nil {
		o.oldest++
	}
	report := p != nil && !p.ended
	if report {
		p.ended = true
		if outcome == Confirmed && p.returned {
			outcome = Returned
		}
	}
	o.noteIdle()
	more := o.queue.messages > 0
	o.mu.Unlock()
	if more {
		o.signal()
	}
	if report {
		o.figures.end(p, outcome)
	}
}

// settleTo ends all messages up to the tag that have not ended.
func (o *outbox) settleTo(tag uint64, outcome Outcome) {
	o.mu.Lock()
	from := o.oldest
	tag = min(tag, o.next-1)
	o.mu.Unlock()
	for ; from <= tag; from++ {
		o.settle(from, outcome)
	}
}

// The following functions end messages without a confirm, because the link refuses them, broke, is
// late, or is closed.

// refuse ends new and pending messages with the outcome. Those in flight stay: their confirms may
// still come.
func (o *outbox) refuse(outcome Outcome) {
	o.mu.Lock()
	o.refusal = outcome
	waiting := o.queue.clear()
	o.noteIdle()
	o.mu.Unlock()
	for _, p := range waiting {
		o.figures.end(p, outcome)
	}
}

// accept ends a refusal, unless the outbox is closed.
func (o *outbox) accept() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.refusal = Confirmed
	}
}

// disconnect ends all messages with the connection: pending ones were never sent, and those in
// flight may or may not have arrived.
func (o *outbox) disconnect() {
	o.refuse(Disconnected)
	o.mu.Lock()
	var unknown []*publish
	for tag := o.oldest; tag < o.next; tag++ {
		slot := tag % uint64(len(o.window))
		if p := o.window[slot]; p != nil && !p.ended {
			p.ended = true
			unknown = append(unknown, p)
		}
		o.window[slot] = nil
	}
	o.oldest = o.next
	o.noteIdle()
	o.mu.Unlock()
	for _, p := range unknown {
		o.figures.end(p, Unknown)
	}
}

// expire ends the messages that are past their deadline. Pending ones are never sent; the fate of
// those in flight is unknown.
func (o *outbox) expire(now time.Time) {
	o.mu.Lock()
	expired := o.queue.expire(now)
	var unknown []*publish
	for tag := o.oldest; tag < o.next; tag++ {
		p := o.window[tag%uint64(len(o.window))]
		if p != nil && !p.ended && now.After(p.deadline) {
			p.ended = true
			unknown = append(unknown, p)
		}
	}
	o.noteIdle()
	o.mu.Unlock()
	if len(expired) > 0 {
		o.signal()
	}
	for _, p := range expired {
		o.figures.end(p, Expired)
	}
	for _, p := range unknown {
		o.figures.end(p, Unknown)
	}
}

// empty reports whether nothing is pending or in flight.
func (o *outbox) empty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queue.messages == 0 && o.oldest == o.next
}

// overdue reports whether the oldest message in flight has ended without its confirm.
func (o *outbox) overdue() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.oldest < o.next && o.window[o.oldest%uint64(len(o.window))].ended
}

// close refuses messages for good. The channel that it returns is closed once every accepted message
// has its outcome.
func (o *outbox) close() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.refusal == Confirmed {
		o.refusal = Disconnected
	}
	if o.idle == nil {
		o.idle = make(chan struct{})
		o.noteIdle()
	}
	return o.idle
}

// noteIdle closes the channel of close when the last outcome is known. mu is held.
func (o *outbox) noteIdle() {
	if o.idle == nil || o.queue.messages > 0 {
		return
	}
	// A message that only holds its slot for a late confirm has its outcome.
	for tag := o.oldest; tag < o.next; tag++ {
		if p := o.window[tag%uint64(len(o.window))]; p != nil && !p.ended {
			return
		}
	}
	select {
	case <-o.idle:
	default:
		close(o.idle)
	}
}
