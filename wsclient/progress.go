package wsclient

// progress is how far each lane has come while several resume, so that a connection that is lost was not in vain.
//
// The bridge answers a request, and at once sends what that subscription missed, in order and up to the number in the answer,
// except what it has sent on this connection for another one. What follows has higher numbers, for all that were answered.
type progress struct {
	at       map[*lane]int64 // up to this number, everything has come
	answered []*lane
	last     int64 // the number of the last reply that no lane had missed; -1 without one

	current *lane // what this one missed comes now; nil if it is none
	upTo    int64
	replays bool
}

func newProgress() *progress { return &progress{at: map[*lane]int64{}, last: -1} }

// answer takes the answer to the request of a lane, nil for one whose progress does not matter.
func (p *progress) answer(l *lane, m *message) {
	p.complete()
	if l != nil && m.Resumed != nil && m.Seq != nil {
		p.current, p.upTo, p.replays = l, int64(*m.Seq), *m.Resumed
	}
}

// snapshot takes the last values for a lane, which come after what it missed, or in place of that.
func (p *progress) snapshot(l *lane) {
	if p.current == l {
		p.complete()
	}
}

// reply takes the number of a reply.
func (p *progress) reply(seq int64) {
	switch {
	case p.current == nil || seq > p.upTo:
		p.complete()
		p.last = max(p.last, seq)
	case p.replays:
		p.set(p.current, seq)
	}
}

func (p *progress) complete() {
	if p.current != nil {
		p.set(p.current, p.upTo)
		p.answered = append(p.answered, p.current)
		p.current = nil
	}
}

func (p *progress) set(l *lane, seq int64) {
	if at, ok := p.at[l]; !ok || at < seq {
		p.at[l] = seq
	}
}

// lost returns up to which number a lane has everything, now that the connection is lost; -1 if that is not known.
func (p *progress) lost(l *lane) int64 {
	for _, other := range p.answered {
		if other == l && p.last >= 0 {
			p.set(l, p.last)
		}
	}
	if at, ok := p.at[l]; ok {
		return at
	}
	return -1
}
