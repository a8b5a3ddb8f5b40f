package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"reflect"

	"github.com/gobwas/ws"
)

// What the user of the engine gets wrong is an error in words where there is one to
// return, and else a line of the log, at most one each tick: it may be wrong for every
// frame. What is no frame is left out, so that no client's stream breaks.

// misused logs what the user of the engine got wrong.
func (e *Engine) misused(what, why string) {
	if now := int64(e.now()); e.complained.Swap(now) != now {
		e.log.Error("the engine was given what it cannot use", "what", what, "why", why)
	}
}

// wrong says what is wrong with a frame; "" if it is one as a server sends it.
func (f Frame) wrong() string {
	if len(f) < 2 {
		return fmt.Sprintf("%d bytes are no WebSocket frame; make one with Text, Binary or Seal", len(f))
	}
	var have, want uint64 = uint64(len(f)), uint64(headerSize(f[1]))
	if have >= want {
		switch f[1] & 0x7f {
		case 126:
			want += uint64(binary.BigEndian.Uint16(f[2:]))
		case 127:
			want += min(binary.BigEndian.Uint64(f[2:]), math.MaxInt64) // the sum must not wrap
		default:
			want += uint64(f[1] & 0x7f)
		}
	}
	switch op := ws.OpCode(f[0] & 0xf); {
	case f[1]&0x80 != 0:
		return "a server's frame must not be masked"
	case have != want:
		return fmt.Sprintf("a frame whose header stands for %d bytes has %d; make one with Text, Binary or Seal", want, have)
	case f[0]&0x70 != 0:
		return "a frame has bits of extensions, which the engine sets itself"
	case op == ws.OpClose:
		return "a close frame is sent by Conn.Close only"
	case op > ws.OpPong || op > ws.OpBinary && op < ws.OpClose:
		return fmt.Sprintf("there is no opcode %d", op)
	}
	return ""
}

// fragment reports whether a frame is a part of a message.
func (f Frame) fragment() bool { return f[0]&0x80 == 0 || f[0]&0xf == byte(ws.OpContinuation) }

// wholeFrame reports whether a frame may go out by itself.
func (e *Engine) wholeFrame(what string, f Frame) bool {
	why := f.wrong()
	if why == "" && f.fragment() {
		why = "a fragment must go out with all others of its message, in one call of Conn.Follow or Conn.Say"
	}
	if why != "" {
		e.misused(what, why)
	}
	return why == ""
}

// wholeFrames reports whether frames may go out one behind the other: each is whole, or
// is one of all the fragments of a message.
func (e *Engine) wholeFrames(what string, frames []Frame) bool {
	inside := false // a message
	for _, f := range frames {
		why := f.wrong()
		if why == "" && f.isData() {
			goesOn := f[0]&0xf == byte(ws.OpContinuation)
			switch {
			case goesOn && !inside:
				why = "a fragment goes on with no message; begin it with Begin"
			case !goesOn && inside:
				why = "a message begins within another; end that with Rest"
			}
			inside = f[0]&0x80 == 0
		}
		if why != "" {
			e.misused(what, why)
			return false
		}
	}
	if inside {
		e.misused(what, "a message has no end; end it with Rest")
	}
	return !inside
}

// own reports whether a log is one of this engine's, or nil.
func (e *Engine) own(what string, log *Log) bool {
	if log == nil || log.engine == e {
		return true
	}
	e.misused(what, "the Log is another engine's, or was not made by NewLog")
	return false
}

// adopt checks a listener that is to be served. mu is held.
func (e *Engine) adopt(ln net.Listener) error {
	if ln == nil {
		return errors.New("engine: no listener given")
	}
	if !reflect.ValueOf(ln).Comparable() {
		return nil
	}
	if e.served[ln] {
		return errors.New("engine: this listener is served already")
	}
	if e.served == nil {
		e.served = map[net.Listener]bool{}
	}
	e.served[ln] = true
	return nil
}

// disown forgets a listener that [Engine.adopt] took.
func (e *Engine) disown(ln net.Listener) {
	if reflect.ValueOf(ln).Comparable() {
		delete(e.served, ln)
	}
}

// check refuses values of a configuration that stand for nothing.
func (cfg *Config) check() error {
	if cfg.Handler == nil {
		return errors.New("engine: no Handler given")
	}
	if cfg.Loops < 0 {
		return fmt.Errorf("engine: Loops is %d; 0 is one for each processor", cfg.Loops)
	}
	limits := reflect.ValueOf(cfg.Limits)
	for i := range limits.NumField() {
		if v := limits.Field(i); v.Int() < 0 {
			return fmt.Errorf("engine: Limits.%s is %v; 0 is its default", limits.Type().Field(i).Name, v.Interface())
		}
	}
	return nil
}
