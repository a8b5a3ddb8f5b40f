package engine

import (
	"fmt"
	"net/http"
	"net/netip"
)

// RejectError rejects a request with an HTTP status and a reason.
type RejectError struct {
	Status int
	Reason string
	// Kind groups rejections in logs and metrics. "" stands for the text of the status.
	Kind string
}

func (r *RejectError) Error() string { return r.Reason }

// The kinds of rejections by the engine itself.
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

// Kinds lists all of them, and the status texts used as kinds.
var Kinds = []string{KindMalformed, KindLongHead, KindHeadTimeout, KindBody, KindNoUpgrade, KindFull, KindProxyHeader, KindNoTLS,
	http.StatusText(http.StatusBadRequest), http.StatusText(http.StatusServiceUnavailable), http.StatusText(http.StatusInternalServerError)}

// reportRejection passes a rejected request to [Config].Rejected.
func (e *Engine) reportRejection(r *RejectError, client netip.AddrPort) {
	if r.Kind == KindFull {
		e.rejected.Add(1)
	}
	reported := *r
	if reported.Kind == "" {
		reported.Kind = http.StatusText(reported.Status)
	}
	e.callRejected(&reported, client)
}

func malformed(reason string) *RejectError {
	return &RejectError{Status: http.StatusBadRequest, Kind: KindMalformed, Reason: reason}
}

// unexpectedProxy rejects a PROXY header on a port that expects none.
func (e *Engine) unexpectedProxy() *RejectError {
	return &RejectError{Status: http.StatusBadRequest, Kind: KindProxyHeader,
		Reason: "the connection begins with a PROXY protocol header, which this port does not expect; " + e.cfg.ProxyAdvice}
}

// overLimit rejects a client beyond a limit on connections.
func overLimit(reason string) *RejectError {
	return &RejectError{Status: http.StatusServiceUnavailable, Kind: KindFull, Reason: reason}
}

// upgradeRequired rejects a request without a valid upgrade (RFC 9110, 15.5.22).
func upgradeRequired(reason string) *RejectError {
	return &RejectError{Status: http.StatusUpgradeRequired, Kind: KindNoUpgrade, Reason: reason}
}

// response returns the HTTP response.
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
