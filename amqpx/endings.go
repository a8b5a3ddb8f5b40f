package amqpx

import "time"

// How an outbox ends what has no confirm: because the link refuses, broke, is
// late, or is closed.

// refuse turns new messages away with the outcome, and fails those that wait
// with it. What was sent keeps its place: its confirm may still come.
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

// disconnect ends a connection's share: what waits was never sent, and what was sent
// without a confirm may or may not have arrived.
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

// expire ends what has waited past its deadline: unsent, it never will be;
// sent, its sender is told that nobody knows.
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

// empty reports whether nothing waits to be sent or for its confirm.
func (o *outbox) empty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queue.messages == 0 && o.oldest == o.next
}

// overdue reports whether the oldest message sent has ended without its confirm.
func (o *outbox) overdue() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.oldest < o.next && o.window[o.oldest%uint64(len(o.window))].ended
}

// close refuses for good. The channel it gives is closed once nothing that was
// accepted is left without an outcome.
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

// noteIdle tells close's caller when the last outcome is known. mu is held.
func (o *outbox) noteIdle() {
	if o.idle == nil || o.queue.messages > 0 {
		return
	}
	// What only holds its place in the window for a late confirm has its outcome.
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
