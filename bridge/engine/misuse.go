package engine

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/gobwas/ws"
)

// Misuse of the API is a returned error where there is one, and otherwise a log line, at
// most one per tick because every frame may be affected. Invalid frames are dropped, so
// that no client's stream breaks.

// reportMisuse logs a misuse of the API.
func (e *Engine) reportMisuse(what, why string) {
	if now := int64(e.now()); e.lastMisuse.Swap(now) != now {
		e.log.Error("the engine's API was misused", "what", what, "why", why)
	}
}

// problem says why a frame is not one that a server may send; "" if it is.
func (f Frame) problem() string {
	if len(f) < 2 || len(f) < headerSize(f[1]) {
		return fmt.Sprintf("%d bytes are not a WebSocket frame; make one with Text, Binary or NewText", len(f))
	}
	switch h, have := decodeHeader(f), len(f)-headerSize(f[1]); {
	case h.Masked:
		return "a server's frame must not be masked"
	case h.Length != int64(have):
		return fmt.Sprintf("a frame whose header announces %d bytes has %d; make one with Text, Binary or NewText", uint64(h.Length), have)
	case h.Rsv != 0:
		return "a frame has extension bits, which only the engine may set"
	case h.OpCode == ws.OpClose:
		return "only Conn.Close may send a close frame"
	case h.OpCode.IsReserved():
		return fmt.Sprintf("opcode %d is reserved", h.OpCode)
	}
	return ""
}

// validFrames reports whether frames may go out one after the other: each is a whole
// message, or they include all fragments of a message, with no other message in between.
func (e *Engine) validFrames(what string, frames ...Frame) bool {
	inside := false // inside a message
	for _, f := range frames {
		why := f.problem()
		if why == "" && f.isData() {
			goesOn := f[0]&0xf == byte(ws.OpContinuation)
			switch {
			case goesOn && !inside:
				why = "a fragment continues no message; begin the message with FirstFragment"
			case !goesOn && inside:
				why = "a message begins inside another; end that one with LastFragment"
			}
			inside = f[0]&0x80 == 0
		}
		if why != "" {
			e.reportMisuse(what, why)
			return false
		}
	}
	if inside {
		e.reportMisuse(what, "a message is incomplete; end it with LastFragment, and pass all its fragments in one call of Conn.Follow or Conn.SendInOrder")
	}
	return !inside
}

// ownsLog reports whether a log is nil or belongs to this engine.
func (e *Engine) ownsLog(what string, log *Log) bool {
	if log == nil || log.engine == e {
		return true
	}
	e.reportMisuse(what, "the Log belongs to another engine, or was not made by NewLog")
	return false
}

// validAccepted reports whether a connection can start as its handler says.
func (e *Engine) validAccepted(w *Accepted) bool {
	if w.Subprotocol != "" && !isToken([]byte(w.Subprotocol)) {
		e.reportMisuse("Accepted.Subprotocol", "it is no token (RFC 9110, 5.6.2)")
		return false
	}
	return e.ownsLog("Accepted.Log", w.Log)
}

// check returns an error for configuration values that make no sense.
func (cfg *Config) check() error {
	if cfg.Handler == nil {
		return errors.New("engine: no Handler given")
	}
	if cfg.Loops < 0 {
		return fmt.Errorf("engine: Loops is %d; 0 means one per processor", cfg.Loops)
	}
	limits := reflect.ValueOf(cfg.Limits)
	for i := range limits.NumField() {
		if v := limits.Field(i); v.Int() < 0 {
			return fmt.Errorf("engine: Limits.%s is %v; 0 means its default", limits.Type().Field(i).Name, v.Interface())
		}
	}
	return nil
}
