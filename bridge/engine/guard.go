package engine

import (
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
)

// What the user of the engine gives it, a [Handler] and the callbacks of [Config], is
// called here only. If it panics, the connection that it was called for ends, and no
// other one notices: the panic goes no further than the call, so it interrupts nothing
// that a loop is about. It is logged with its stack and counted ([Stats]).

// failed is the reason in words for a connection that a panic ended.
const failed = "internal error"

// caught ends a panic in what the engine called. It must be deferred.
func (e *Engine) caught(where string) {
	cause := recover()
	if cause == nil {
		return
	}
	e.panics.Add(1)
	e.log.Error("a panic ended a connection", "in", where, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
}

// accept is [Handler].Accept.
func (e *Engine) accept(r *Request) (w Accepted, err error) {
	err = internalError
	defer e.caught("Handler.Accept")
	if w, err := e.cfg.Handler.Accept(r); err != nil || e.own("Accepted.Log", w.Log) {
		return w, err
	}
	return Accepted{}, err
}

// internalError answers a request over which a panic came. Nobody changes it.
var internalError = &RejectError{Status: http.StatusInternalServerError, Reason: failed}

// opened is [Handler].Open. It is false after a panic, as in the next three.
func (e *Engine) opened(c Conn, session any) bool {
	return e.call("Handler.Open", func() { e.cfg.Handler.Open(c, session) })
}

func (e *Engine) message(c Conn, session any, m Message) bool {
	return e.call("Handler.Message", func() { e.cfg.Handler.Message(c, session, m) })
}

func (e *Engine) ending(c Conn, session any) bool {
	return e.call("Handler.Closing", func() { e.cfg.Handler.Closing(c, session) })
}

func (e *Engine) closed(c Conn, session any, code int, reason string) bool {
	return e.call("Handler.Closed", func() { e.cfg.Handler.Closed(c, session, code, reason) })
}

func (e *Engine) call(where string, do func()) (ok bool) {
	defer e.caught(where)
	do()
	return true
}

// skipped is [Config].Skip. A notice that is no whole frame is left out.
func (e *Engine) skipped(session any, missed uint64) (notice Frame, ok bool) {
	defer e.caught("Config.Skip")
	notice = e.cfg.Skip(session, missed)
	if notice != nil && !e.whole("Config.Skip", notice) {
		notice = nil
	}
	return notice, true
}

// clientAddr is [Config].ClientAddr, or the request's address.
func (e *Engine) clientAddr(r *Request) (client netip.AddrPort, no *RejectError) {
	if e.cfg.ClientAddr == nil {
		return r.client, nil
	}
	no = internalError
	defer e.caught("Config.ClientAddr")
	return e.cfg.ClientAddr(r)
}

// vital is [Config].Vital; a request is not vital if that panics.
func (e *Engine) vital(r *Request) bool {
	defer e.caught("Config.Vital")
	return e.cfg.Vital != nil && e.cfg.Vital(r)
}

// exempt is [Config].Exempt; an address is not exempt if that panics.
func (e *Engine) exempt(addr netip.Addr) bool {
	defer e.caught("Config.Exempt")
	return e.cfg.Exempt != nil && e.cfg.Exempt(addr)
}

// tellRefused calls [Config].Rejected.
func (e *Engine) tellRefused(no *RejectError, client netip.AddrPort) {
	defer e.caught("Config.Rejected")
	if e.cfg.Rejected != nil {
		e.cfg.Rejected(no, client)
	}
}
