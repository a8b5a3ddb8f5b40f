package engine

import (
	"fmt"
	"net/http"
	"net/netip"
)

// RejectError is an HTTP status and a reason with which a request is refused.
type RejectError struct {
	Status int
	Reason string
	// Kind groups refusals in logs. "" stands for the text of the status.
	Kind string
}

func (r *RejectError) Error() string { return r.Reason }

// The kinds of the engine's own refusals.
const (
	KindMalformed   = "malformed request"
	KindLongHead    = "request head too long"
	KindHeadTimeout = "request head too slow"
	KindBody        = "request with a body"
	KindNoUpgrade   = "no WebSocket upgrade"
	KindFull        = "too many connections"
	KindProxyHeader = "PROXY protocol"
	KindNoTLS       = "no TLS"
)

// Kinds are all of them, and the texts of statuses that stand for one.
var Kinds = []string{KindMalformed, KindLongHead, KindHeadTimeout, KindBody, KindNoUpgrade, KindFull, KindProxyHeader, KindNoTLS,
	http.StatusText(http.StatusBadRequest), http.StatusText(http.StatusServiceUnavailable), http.StatusText(http.StatusInternalServerError)}

// reportRejection passes a refused request to [Config].Rejected.
func (e *Engine) reportRejection(r *RejectError, client netip.AddrPort) {
	if r.Kind == KindFull {
		e.rejected.Add(1)
	}
	told := *r
	if told.Kind == "" {
		told.Kind = http.StatusText(told.Status)
	}
	e.callRejected(&told, client)
}

func malformed(reason string) *RejectError {
	return &RejectError{Status: http.StatusBadRequest, Kind: KindMalformed, Reason: reason}
}

// unexpectedProxy refuses a header of the PROXY protocol where none is expected.
func (e *Engine) unexpectedProxy() *RejectError {
	return &RejectError{Status: http.StatusBadRequest, Kind: KindProxyHeader,
		Reason: "the connection begins with a header of the PROXY protocol, which this port does not expect; " + e.cfg.ProxyAdvice}
}

// overLimit refuses a client because there is no room for it.
func overLimit(reason string) *RejectError {
	return &RejectError{Status: http.StatusServiceUnavailable, Kind: KindFull, Reason: reason}
}

// upgradeRequired refuses a request that lacks a valid upgrade (RFC 9110, 15.5.22).
func upgradeRequired(reason string) *RejectError {
	return &RejectError{Status: http.StatusUpgradeRequired, Kind: KindNoUpgrade, Reason: reason}
}

// response returns the HTTP response of a refusal.
func (r *RejectError) response() []byte {
	fields := "Connection: close\r\n"
	switch r.Status {
	case http.StatusUpgradeRequired: // RFC 9110, 15.5.22, and RFC 6455, 4.4
		fields = "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	case http.StatusMethodNotAllowed:
		fields += "Allow: GET\r\n"
	}
	text := r.Reason + "\n"
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n%s\r\n%s",
		r.Status, http.StatusText(r.Status), len(text), fields, text)
}
