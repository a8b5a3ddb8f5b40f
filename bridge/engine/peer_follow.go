package engine

import (
	"math"
	"time"

	"github.com/gobwas/ws"
)

// follow is [Conn.Follow] for a connection on goroutines. It is done at once:
// nothing is appended to either log before it returns.
func (p *peer) follow(_ int32, _ uint32, log *Log, first []Frame) {
	p.give(func() bool { return p.changeLog(log, first) })
}

// say is [Conn.Say] for a connection on goroutines.
func (p *peer) say(_ int32, _ uint32, frames []Frame) {
	p.give(func() bool { return p.lendAll(frames, p.lendLog) })
}

// give has an open connection lent frames by do, which is false when it is too slow
// for that.
func (p *peer) give(do func() bool) {
	p.mu.Lock()
	if p.state != stateOpen || p.asked != nil {
		p.mu.Unlock()
		return
	}
	kept := do()
	p.gang.owe(p.out.enter)
	if !kept {
		p.countSlow()
	}
	p.mu.Unlock()
	if !kept {
		p.ask(ws.StatusPolicyViolation, tooSlow)
	}
	p.poke()
}

// changeLog brings the connection from one log to another. It is false when it
// is too slow for that. mu is held.
func (p *peer) changeLog(log *Log, first []Frame) bool {
	if !p.lendAll(first, p.lendRest) {
		return false
	}
	if log != nil {
		log = log.of(p.parser.deflate != nil)
		p.stream = &log.stream
		p.stream.follow()
		p.cursor = log.next()
	}
	return true
}

// lendAll lends frames behind those of the log that rest lends. mu is held.
func (p *peer) lendAll(frames []Frame, rest func() bool) bool {
	if p.out.lent > maxLent || p.stream != nil && !rest() {
		return false
	}
	for _, f := range frames {
		p.lend(f)
	}
	return true
}

func (p *peer) lend(f Frame) {
	if p.out.lent+p.writing == 0 {
		p.lent = time.Now()
	}
	p.out.lend(f)
}

// lendRest makes what the connection has not had of its log its own, and ends its
// following. It is false when the log no longer has all of that. mu is held.
func (p *peer) lendRest() bool {
	if !p.lendLog() {
		return false
	}
	p.stream.unfollow()
	p.stream = nil
	return true
}

// lendLog makes what the connection has not had of its log its own, and has it go on
// behind that. It is false when the log no longer has all of that. mu is held.
func (p *peer) lendLog() bool {
	s := p.stream
	rest, next, behind := s.take(p.cursor)
	if behind {
		if p.gang.engine.cfg.Skip == nil {
			return false
		}
		// The writer makes the notice: the caller may hold a lock that Skip takes.
		var missed uint64
		next, missed = s.catchUp(p.cursor)
		p.gang.engine.skips.Add(1)
		p.out.miss(uint32(min(missed, math.MaxUint32)))
	}
	for _, f := range rest {
		p.lend(f)
	}
	p.cursor = next
	return true
}

// deaf tells whether a connection has taken nothing of what it was lent for so
// long. mu is held.
func (p *peer) deaf(now time.Time, age time.Duration) bool {
	return p.out.lent+p.writing > 0 && now.Sub(later(p.sent, p.lent)) > age
}

// later is the later one of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
