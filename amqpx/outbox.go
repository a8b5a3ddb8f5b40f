package amqpx

import (
	"sync"
	"time"
)

// publish is a message on its way out, and whom to tell how it ended.
type publish struct {
	msg      Message
	done     func(Outcome)
	deadline time.Time
	sent     time.Time // when it went into the window
	returned bool      // the broker sent it back; its confirm follows
	told     bool      // done was called; only its place in the window is still held
}

// outbox holds the messages that wait to be sent and those that wait for their
// confirm. It outlives connections: while there is none it is shut, and refuses.
type outbox struct {
	capacity int           // messages waiting at most
	timeout  time.Duration // from Publish to the end of patience
	hold     time.Duration // how old the oldest message without a confirm may be when another is sent
	wake     chan struct{} // capacity 1: there is something to send, or room in the window

	// mu guards the following fields.
	mu      sync.Mutex
	refusal Outcome // why Publish refuses; Confirmed when it does not
	waiting []*publish
	// window is a ring of sent messages by delivery tag; a slot is nil once confirmed.
	window []*publish
	oldest uint64 // the lowest tag without a confirm
	next   uint64 // the tag of the next message sent
	closed bool   // for good
	idle   chan struct{}
}

func newOutbox(capacity, window int, timeout time.Duration) *outbox {
	return &outbox{
		capacity: capacity,
		timeout:  timeout,
		hold:     timeout / 10,
		wake:     make(chan struct{}, 1),
		refusal:  Away,
		window:   make([]*publish, window),
		oldest:   1,
		next:     1,
	}
}

// put accepts a message for sending, or refuses it at once.
func (o *outbox) put(msg Message, done func(Outcome)) {
	p := &publish{msg: msg, done: done, deadline: time.Now().Add(o.timeout)}
	o.mu.Lock()
	refusal := o.refusal
	if refusal == Confirmed && len(o.waiting) >= o.capacity {
		refusal = Full
	}
	if refusal == Confirmed {
		o.waiting = append(o.waiting, p)
	}
	o.mu.Unlock()
	if refusal != Confirmed {
		done(refusal)
		return
	}
	o.signal()
}

// signal wakes the sender. A signal that is already pending is enough.
func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// open starts a new series of delivery tags for a new channel, and accepts.
func (o *outbox) open() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.oldest, o.next = 1, 1
	o.refusal = Confirmed
}

// take moves the next waiting message into the window and gives it with its
// tag, or nil when nothing can be sent. A message past its deadline is not sent,
// however late the sender comes: expire ends it.
func (o *outbox) take(now time.Time) (*publish, uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 || !o.room(now) || now.After(o.waiting[0].deadline) {
		return nil, 0
	}
	p := o.waiting[0]
	p.sent = now
	o.waiting[0] = nil
	o.waiting = o.waiting[1:]
	if len(o.waiting) == 0 {
		o.waiting = nil
	}
	tag := o.next
	o.next++
	o.window[tag%uint64(len(o.window))] = p
	return p, tag
}

// room is whether another message may be sent now. A broker that owes a confirm
// for long may have stalled. What it is sent then lies in the network until it
// wakes, and runs late; what waits here instead ends at its deadline. mu is held.
func (o *outbox) room(now time.Time) bool {
	if o.oldest == o.next {
		return true
	}
	oldest := o.window[o.oldest%uint64(len(o.window))]
	return o.next-o.oldest < uint64(len(o.window)) && now.Sub(oldest.sent) < o.hold
}

// markReturned notes that the broker sent a message back. Its confirm follows
// (the broker sends a return before its confirm), so it is in the window.
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

// settle ends the message with the tag, frees its place and tells its sender.
func (o *outbox) settle(tag uint64, outcome Outcome) {
	o.mu.Lock()
	if tag < o.oldest || tag >= o.next {
		o.mu.Unlock()
		return
	}
	slot := tag % uint64(len(o.window))
	p := o.window[slot]
	o.window[slot] = nil
	for o.oldest < o.next && o.window[o.oldest%uint64(len(o.window))] == nil {
		o.oldest++
	}
	tell := p != nil && !p.told
	if tell {
		p.told = true
		if outcome == Confirmed && p.returned {
			outcome = Returned
		}
	}
	o.noteIdle()
	o.mu.Unlock()
	o.signal()
	if tell {
		p.done(outcome)
	}
}

// refuse turns new messages away with the outcome, and fails those that wait
// with it. What was sent keeps its place: its confirm may still come.
func (o *outbox) refuse(outcome Outcome) {
	o.mu.Lock()
	o.refusal = outcome
	waiting := o.waiting
	o.waiting = nil
	o.noteIdle()
	o.mu.Unlock()
	for _, p := range waiting {
		p.done(outcome)
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

// cut ends a connection's share: what waits was never sent, and what was sent
// without a confirm may or may not have arrived.
func (o *outbox) cut() {
	o.refuse(Away)
	o.mu.Lock()
	var unknown []*publish
	for tag := o.oldest; tag < o.next; tag++ {
		slot := tag % uint64(len(o.window))
		if p := o.window[slot]; p != nil && !p.told {
			p.told = true
			unknown = append(unknown, p)
		}
		o.window[slot] = nil
	}
	o.oldest = o.next
	o.noteIdle()
	o.mu.Unlock()
	for _, p := range unknown {
		p.done(Unknown)
	}
}

// expire ends what has waited past its deadline: unsent, it never will be;
// sent, its sender is told that nobody knows.
func (o *outbox) expire(now time.Time) {
	o.mu.Lock()
	var expired, unknown []*publish
	for len(o.waiting) > 0 && now.After(o.waiting[0].deadline) {
		expired = append(expired, o.waiting[0])
		o.waiting[0] = nil
		o.waiting = o.waiting[1:]
	}
	for tag := o.oldest; tag < o.next; tag++ {
		p := o.window[tag%uint64(len(o.window))]
		if p != nil && !p.told && now.After(p.deadline) {
			p.told = true
			unknown = append(unknown, p)
		}
	}
	o.noteIdle()
	o.mu.Unlock()
	if len(expired) > 0 {
		o.signal()
	}
	for _, p := range expired {
		p.done(Expired)
	}
	for _, p := range unknown {
		p.done(Unknown)
	}
}

// overdue tells whether the oldest message sent has ended without its confirm.
func (o *outbox) overdue() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.oldest < o.next && o.window[o.oldest%uint64(len(o.window))].told
}

// close refuses for good. The channel it gives is closed once nothing that was
// accepted is left without an outcome.
func (o *outbox) close() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.refusal == Confirmed {
		o.refusal = Away
	}
	if o.idle == nil {
		o.idle = make(chan struct{})
		o.noteIdle()
	}
	return o.idle
}

// noteIdle tells close's caller when the last outcome is known. mu is held.
func (o *outbox) noteIdle() {
	if o.idle == nil || len(o.waiting) > 0 {
		return
	}
	// What only holds its place in the window for a late confirm has its outcome.
	for tag := o.oldest; tag < o.next; tag++ {
		if p := o.window[tag%uint64(len(o.window))]; p != nil && !p.told {
			return
		}
	}
	select {
	case <-o.idle:
	default:
		close(o.idle)
	}
}
