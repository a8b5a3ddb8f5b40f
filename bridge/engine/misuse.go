package engine

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/gobwas/ws"
)

// What the user of the engine gets wrong is an error in words where there is one to
// return, and else a line of the log, at most one each tick: it may be wrong for every
// frame. What is no frame is left out, so that no client's stream breaks.

// reportMisuse logs what the user of the engine got wrong.
func (e *Engine) reportMisuse(what, why string) {
	if now := int64(e.now()); e.lastMisuse.Swap(now) != now {
		e.log.Error("the engine was given what it cannot use", "what", what, "why", why)
	}
}

// problem says what is wrong with a frame; "" if it is one as a server sends it.
func (f Frame) problem() string {
	if len(f) < 2 || len(f) < headerSize(f[1]) {
		return fmt.Sprintf("%d bytes are no WebSocket frame; make one with Text, Binary or NewText", len(f))
	}
	switch h, have := decodeHeader(f), len(f)-headerSize(f[1]); {
	case h.Masked:
		return "a server's frame must not be masked"
	case h.Length != int64(have):
		return fmt.Sprintf("a frame whose header stands for %d bytes has %d; make one with Text, Binary or NewText", uint64(h.Length), have)
	case h.Rsv != 0:
		return "a frame has bits of extensions, which the engine sets itself"
	case h.OpCode == ws.OpClose:
		return "a close frame is sent by Conn.Close only"
	case h.OpCode.IsReserved():
		return fmt.Sprintf("there is no opcode %d", h.OpCode)
	}
	return ""
}

// validFrames reports whether frames may go out one behind the other: each is whole, or is one
// of all the fragments of a message, for no other message may come in between.
func (e *Engine) validFrames(what string, frames ...Frame) bool {
	inside := false // a message
	for _, f := range frames {
		why := f.problem()
		if why == "" && f.isData() {
			goesOn := f[0]&0xf == byte(ws.OpContinuation)
			switch {
			case goesOn && !inside:
				why = "a fragment goes on with no message; begin it with FirstFragment"
			case !goesOn && inside:
				why = "a message begins within another; end that with LastFragment"
			}
			inside = f[0]&0x80 == 0
		}
		if why != "" {
			e.reportMisuse(what, why)
			return false
		}
	}
	if inside {
		e.reportMisuse(what, "a message has no end; end it with LastFragment, and give all its parts to one call of Conn.Follow or Conn.SendInOrder")
	}
	return !inside
}

// ownsLog reports whether a log is one of this engine's, or nil.
func (e *Engine) ownsLog(what string, log *Log) bool {
	if log == nil || log.engine == e {
		return true
	}
	e.reportMisuse(what, "the Log is another engine's, or was not made by NewLog")
	return false
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
