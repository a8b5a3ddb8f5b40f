package engine

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// writeTimeout is how long a socket may refuse what a connection is sent.
const writeTimeout = 30 * time.Second

// buffers are for joining what is written. A connection borrows one while it
// has something to write.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// write sends what the connection has coming until its close frame is out.
func (p *peer) write() {
	ping := time.NewTimer(p.pingIn())
	defer ping.Stop()
	defer p.done()
	for {
		buf := buffers.Get().(*[]byte)
		g := p.gather((*buf)[:0])
		written := p.put(g.bytes)
		if written && g.frames > 0 {
			p.gang.counts.add(tally{delivered: g.frames})
		}
		if !g.lent {
			*buf = g.bytes
		}
		if cap(*buf) <= 2*chunk {
			buffers.Put(buf)
		}
		switch {
		case !written || g.last:
			return
		case g.behind:
			p.fellOff()
		case g.asked != nil:
			p.beginClose(g.asked.code, g.asked.reason)
		case len(g.bytes) > 0:
		default:
			select {
			case <-p.wake:
			case <-g.news:
			case <-ping.C:
				ping.Reset(p.checkAlive())
			}
		}
	}
}

// gathered is what a connection has to do next.
type gathered struct {
	bytes  []byte          // to write
	frames uint64          // text and binary frames in bytes
	news   <-chan struct{} // tells when there is more
	asked  *closeError     // somebody asked to close
	lent   bool            // the bytes belong to a shared frame
	behind bool            // the log went on without this client
	last   bool            // nothing follows
}

func (p *peer) gather(buf []byte) (g gathered) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.putDown()
	buf, g.frames = p.takeOwn(buf)
	g.bytes, g.lent = buf, p.inHand
	switch {
	case p.state != stateOpen:
		g.last = true
	case p.asked != nil && len(buf) > 0:
		// There may be more that was sent before.
	case len(buf) == 0 && p.stream != nil:
		from := p.cursor
		g.bytes, p.cursor, g.news, g.behind = p.stream.next(buf, from)
		g.frames = p.cursor - from
		g.asked, g.behind = p.asked, g.behind && p.asked == nil
	default:
		g.asked = p.asked
	}
	if !g.lent {
		p.buffer(len(g.bytes))
	}
	signal(&p.room)
	return g
}

// putDown releases what was written. mu is held.
func (p *peer) putDown() {
	if p.inHand {
		p.inHand = false
		p.gang.owe(p.out.next)
	}
	p.writing = 0
	p.buffer(0)
}

// done ends the writer.
func (p *peer) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gang.owe(p.out.forget)
	p.inHand = false
	p.buffer(0)
	signal(&p.room)
}

// takeOwn appends the connection's own frames to buf, up to about a chunk. A longer
// frame is returned in place, and stays the first of out until it is written. The
// result also has the number of text and binary frames. mu is held.
func (p *peer) takeOwn(buf []byte) (_ []byte, frames uint64) {
	for len(p.out.frames) > 0 {
		f := &p.out.frames[0]
		if f.missed > 0 {
			notice, ok := p.gang.engine.skipped(p.session, uint64(f.missed))
			if !ok && p.asked == nil {
				p.asked = &closeError{ws.StatusInternalServerError, failed}
			}
			p.gang.owe(func(k *ledger) { p.out.notice(notice, k) })
		}
		if len(buf) > 0 && len(buf)+len(f.Frame) > chunk {
			break
		}
		if f.isData() {
			frames++
		}
		if len(f.Frame) > chunk {
			p.inHand = true
			return f.Frame, frames
		}
		buf = append(buf, f.Frame...)
		if f.lent {
			p.writing += f.cost()
		}
		p.gang.owe(p.out.next)
	}
	if len(p.out.frames) == 0 {
		p.out.frames = nil // its array may be large
	}
	return buf, frames
}

// unstick does what the writer cannot do while it is stuck in a write: it ends
// a connection that is asked to close, whose cursor fell off the log, or that has
// taken nothing of what it was lent for as long as a log would keep it.
func (p *peer) unstick() {
	p.mu.Lock()
	now := time.Now()
	asked := p.asked
	if p.ending != nil && p.state == stateOpen {
		if p.asked != nil { // the handler has finished; a long answer may take its time
			p.endBy = later(p.endBy, p.sent.Add(answerTimeout))
		}
		asked = nil
		if now.After(p.endBy) {
			asked = p.ending
		}
	}
	behind := p.stream != nil && p.stream.behind(p.cursor)
	deaf := p.deaf(now, p.gang.engine.cfg.LogAge)
	p.mu.Unlock()
	switch {
	case asked != nil:
		p.beginClose(asked.code, asked.reason)
	case deaf:
		p.tooSlow()
	case behind && p.gang.engine.cfg.Skip == nil:
		p.fellOff()
	}
}

// tooSlow ends a connection that does not read what it is sent.
func (p *peer) tooSlow() {
	p.mu.Lock()
	p.countSlow()
	p.mu.Unlock()
	p.beginClose(ws.StatusPolicyViolation, tooSlow)
}

// fellOff deals with a connection whose next frame its log no longer has. Only
// the writer may skip: the cursor is its own.
func (p *peer) fellOff() {
	e := p.gang.engine
	if e.cfg.Skip == nil {
		p.tooSlow()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stream == nil || !p.stream.behind(p.cursor) {
		return // it ended, or follows another log meanwhile
	}
	var missed uint64
	p.cursor, missed = p.stream.catchUp(p.cursor)
	e.skips.Add(1)
	notice, ok := e.skipped(p.session, missed)
	switch {
	case !ok && p.asked == nil:
		p.asked = &closeError{ws.StatusInternalServerError, failed}
	case notice != nil:
		p.out.send(notice)
		p.gang.owe(p.out.enter)
	}
}

// put writes bytes, in pieces, so that one can tell a socket that takes them
// slowly from one that takes none. It is false when the socket takes no more.
func (p *peer) put(buf []byte) bool {
	for len(buf) > 0 {
		n := min(len(buf), 2*chunk)
		p.mu.Lock()
		p.sent = time.Now()
		if p.state == stateOpen {
			_ = p.socket.SetWriteDeadline(p.sent.Add(writeTimeout))
		}
		p.mu.Unlock()
		n, err := p.socket.Write(buf[:n])
		p.gang.counts.add(tally{bytes: uint64(n), writes: 1})
		if err != nil {
			p.leave(ws.StatusPolicyViolation, tooSlow)
			p.socket.Close()
			return false
		}
		buf = buf[n:]
	}
	return true
}

// checkAlive pings a connection that nothing was sent to for a while, closes
// one that did not answer, and says when to look again.
func (p *peer) checkAlive() time.Duration {
	cfg := &p.gang.engine.cfg
	p.mu.Lock()
	pinged, quiet := p.pinged, time.Since(p.sent)
	p.pinged = pinged || quiet >= cfg.PingAfter
	now := p.pinged
	p.mu.Unlock()
	switch {
	case pinged:
		p.beginClose(ws.StatusPolicyViolation, "no answer to a ping for "+cfg.PongTimeout.String())
		return time.Hour
	case now:
		p.send(control(ws.OpPing, nil))
		return cfg.PongTimeout
	}
	return p.pingIn()
}

// pingIn spreads pings over 1.25 times the interval behind the earliest moment.
func (p *peer) pingIn() time.Duration {
	after := p.gang.engine.cfg.PingAfter
	return after + rand.N(after*5/4+1)
}
