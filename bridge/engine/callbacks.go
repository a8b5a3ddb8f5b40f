package engine

import (
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
)

// All calls to the user's code, a [Handler] and the callbacks of [Config], are made here. A
// panic goes no further than the call, so it leaves the loop's state intact and ends only
// the connection that the call was for. It is logged with its stack and counted ([Stats]).

// reasonInternalError is the close reason after a panic.
const reasonInternalError = "internal error"

// recoverPanic recovers from a panic in the user's code. It must be deferred.
func (e *Engine) recoverPanic(where string) {
	cause := recover()
	if cause == nil {
		return
	}
	e.panics.Add(1)
	e.log.Error("a panic ended a connection", "in", where, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
}

// callAccept calls [Handler].Accept.
func (e *Engine) callAccept(r *Request) (w Accepted, err error) {
	err = errInternal
	defer e.recoverPanic("Handler.Accept")
	if w, err := e.cfg.Handler.Accept(r); err != nil || e.validAccepted(&w) {
		return w, err
	}
	return Accepted{}, err
}

// callLater calls [Accepted].Later.
func (e *Engine) callLater(p *parked) (decide Decision) {
	defer e.recoverPanic("Accepted.Later")
	return p.later(p.ctx)
}

// callDecision calls the result of [Accepted].Later, which is nil after a panic.
func (e *Engine) callDecision(decide Decision) (w Accepted, rejectErr *RejectError) {
	rejectErr = errInternal
	defer e.recoverPanic("Accepted.Later")
	if decide == nil {
		return w, rejectErr
	}
	switch w, err := decide(); {
	case err != nil:
		return Accepted{}, rejectErrorOf(err)
	case w.Later != nil:
		e.reportMisuse("Accepted.Later", "the decision on a parked connection must not park it again")
		return Accepted{}, errInternal
	case !e.validAccepted(&w):
		return Accepted{}, errInternal
	default:
		return w, nil
	}
}

// errInternal rejects a request after a panic. It is immutable.
var errInternal = &RejectError{Status: http.StatusInternalServerError, Reason: reasonInternalError}

// callOpen calls [Handler].Open. Like the next three, it returns false after a panic.
func (e *Engine) callOpen(c Conn, session any) bool {
	return e.call("Handler.Open", func() { e.cfg.Handler.Open(c, session) })
}

func (e *Engine) callMessage(c Conn, session any, m Message) bool {
	return e.call("Handler.Message", func() { e.cfg.Handler.Message(c, session, m) })
}

func (e *Engine) callClosing(c Conn, session any) bool {
	return e.call("Handler.Closing", func() { e.cfg.Handler.Closing(c, session) })
}

func (e *Engine) callClosed(c Conn, session any, code int, reason string) bool {
	return e.call("Handler.Closed", func() { e.cfg.Handler.Closed(c, session, code, reason) })
}

func (e *Engine) call(where string, do func()) (ok bool) {
	defer e.recoverPanic(where)
	do()
	return true
}

// callSkip calls [Config].Skip. An invalid frame is dropped.
func (e *Engine) callSkip(session any, missed uint64) (notice Frame, ok bool) {
	defer e.recoverPanic("Config.Skip")
	notice = e.cfg.Skip(session, missed)
	if notice != nil && !e.validFrames("Config.Skip", notice) {
		notice = nil
	}
	return notice, true
}

// callClientAddr calls [Config].ClientAddr, or returns the request's address.
func (e *Engine) callClientAddr(r *Request) (client netip.AddrPort, rejectErr *RejectError) {
	if e.cfg.ClientAddr == nil {
		return r.client, nil
	}
	rejectErr = errInternal
	defer e.recoverPanic("Config.ClientAddr")
	return e.cfg.ClientAddr(r)
}

// callVital calls [Config].Vital; after a panic the request is not vital.
func (e *Engine) callVital(r *Request) bool {
	defer e.recoverPanic("Config.Vital")
	return e.cfg.Vital != nil && e.cfg.Vital(r)
}

// callExempt calls [Config].Exempt; after a panic the address is not exempt.
func (e *Engine) callExempt(addr netip.Addr) bool {
	defer e.recoverPanic("Config.Exempt")
	return e.cfg.Exempt != nil && e.cfg.Exempt(addr)
}

// callRejected calls [Config].Rejected.
func (e *Engine) callRejected(rejectErr *RejectError, client netip.AddrPort) {
	defer e.recoverPanic("Config.Rejected")
	if e.cfg.Rejected != nil {
		e.cfg.Rejected(rejectErr, client)
	}
}
