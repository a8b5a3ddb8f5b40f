package amqpx

// probeWatch decides when a queue is probed, and what the probes have shown. It counts ticks and
// not time: a process that stalled had no ticks, so whatever arrived meanwhile is read before a
// probe counts as missing.
type probeWatch struct {
	limits probeLimits

	phase    probePhase
	ticks    int    // in this phase
	progress uint64 // of the consumer, at the last tick
	heard    bool   // something was delivered since the probe was sent
	down     bool   // the last probe with a result did not reach the queue
	overdue  bool   // it may still be confirmed
}

// probeLimits are counted in ticks.
type probeLimits struct {
	silence  int // before a probe is sent
	confirm  int // how long the broker may take to confirm it
	delivery int // how long it may take, once confirmed, to be delivered
	retry    int // between a probe that was rejected and the next one
	resend   int // how long an overdue one may still be confirmed before another is sent
}

type probePhase int

const (
	listening  probePhase = iota
	confirming            // a probe was sent
	delivering            // it was confirmed, and must be delivered
	pausing               // it was rejected, or not confirmed in time; the next one follows
)

// probeFate is what is known about the last probe.
type probeFate int

const (
	probePending  probeFate = iota // nothing yet, or there is none
	probeTaken                     // confirmed
	probeRejected                  // nacked, returned, or answered with an error
)

// probeStep is what to do next.
type probeStep int

const (
	probeNothing   probeStep = iota
	probeSend                // send a probe
	probeDown                // the queue takes no messages
	probeRecovered           // it takes messages again
	probeLost                // a probe is in the queue and is not delivered
)

// tick returns the next step. progress is the consumer's, which is odd while it hands over a delivery.
func (w *probeWatch) tick(progress uint64, fate probeFate) probeStep {
	heard := progress != w.progress || progress%2 == 1
	w.progress = progress
	w.ticks++
	w.heard = w.heard || heard
	switch w.phase {
	case listening:
		if heard {
			w.ticks = 0
		}
		if w.ticks >= w.limits.silence {
			return w.send()
		}
	case confirming:
		switch {
		case fate != probePending:
			return w.decide(fate)
		case w.heard && !w.down:
			w.enter(listening) // a slow confirm means nothing
		case w.ticks >= w.limits.confirm:
			return w.fail(true)
		}
	case delivering:
		switch {
		case w.heard:
			return w.recovered()
		case w.ticks >= w.limits.delivery:
			return probeLost
		}
	case pausing:
		switch {
		case w.overdue && fate != probePending:
			return w.decide(fate)
		case w.overdue && !w.heard && w.ticks < w.limits.resend:
			// A broker that recovers confirms the probes it has. Their number should not grow until
			// then.
		case w.ticks >= w.limits.retry:
			return w.send()
		}
	}
	return probeNothing
}

func (w *probeWatch) decide(fate probeFate) probeStep {
	if fate == probeRejected {
		return w.fail(false)
	}
	if w.heard {
		return w.recovered()
	}
	w.enter(delivering)
	return probeNothing
}

func (w *probeWatch) enter(phase probePhase) { w.phase, w.ticks = phase, 0 }

func (w *probeWatch) send() probeStep {
	w.enter(confirming)
	w.heard = false
	return probeSend
}

func (w *probeWatch) fail(overdue bool) probeStep {
	w.enter(pausing)
	w.down, w.overdue = true, overdue
	return probeDown
}

func (w *probeWatch) recovered() probeStep {
	w.enter(listening)
	if !w.down {
		return probeNothing
	}
	w.down = false
	return probeRecovered
}

// rest is called instead of tick while the broker accepts no publishes at all.
func (w *probeWatch) rest() { w.ticks = 0 }
