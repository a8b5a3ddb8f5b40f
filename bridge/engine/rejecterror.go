package engine

import (
	"fmt"
	"net/http"
	"net/netip"
	"time"
)

// RejectError rejects a request with an HTTP status and a reason.
type RejectError struct {
	Status int
	Reason string
	// Kind groups rejections in logs and metrics. "" stands for the text of the status.
	Kind string
	// RetryAfter is when the client may try again, sent in whole seconds, rounded up
	// (RFC 9110, 10.2.3). 0 sends none.
	RetryAfter time.Duration
	// Challenge is the WWW-Authenticate of a 401, which must have one (RFC 9110, 11.6.1). ""
	// stands for Bearer.
	Challenge string
	// Location is where a redirection leads. "" sends none.
	Location string
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
	KindUndecided   = "no decision in time"
)

// Kinds lists all of them, and the status texts used as kinds.
var Kinds = []string{KindMalformed, KindLongHead, KindHeadTimeout, KindBody, KindNoUpgrade, KindFull, KindProxyHeader, KindNoTLS, KindUndecided,
	http.StatusText(http.StatusBadRequest), http.StatusText(http.StatusUnauthorized), http.StatusText(http.StatusForbidden),
	http.StatusText(http.StatusTooManyRequests), http.StatusText(http.StatusServiceUnavailable), http.StatusText(http.StatusInternalServerError)}

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

// challenge returns the challenge of a 401. One that would break the response is replaced.
func (r *RejectError) challenge() string {
	if r.Challenge == "" || hasControl([]byte(r.Challenge)) {
		return "Bearer"
	}
	return r.Challenge
}

// response returns the HTTP response.
func (r *RejectError) response() []byte {
	// What is refused now may be granted later, and a refusal may be about this client only.
	fields := "Connection: close\r\nCache-Control: no-store\r\n"
	switch r.Status {
	case http.StatusUpgradeRequired: // RFC 9110, 15.5.22, and RFC 6455, 4.4
		fields = "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nCache-Control: no-store\r\n"
	case http.StatusMethodNotAllowed:
		fields += "Allow: GET\r\n"
	case http.StatusUnauthorized:
		fields += "WWW-Authenticate: " + r.challenge() + "\r\n"
	}
	if r.Location != "" && !hasControl([]byte(r.Location)) {
		fields += "Location: " + r.Location + "\r\n"
	}
	if r.RetryAfter > 0 {
		fields += fmt.Sprintf("Retry-After: %d\r\n", (r.RetryAfter+time.Second-1)/time.Second)
	}
	text := r.Reason + "\n"
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n%s\r\n%s",
		r.Status, http.StatusText(r.Status), len(text), fields, text)
}
