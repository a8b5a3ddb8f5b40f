package access

import (
	"context"
	"crypto/tls"
	"net/netip"
	"time"
)

// Approach is a client that asks to enter, with everything that may identify it.
type Approach struct {
	// Method and Path are those of the request; Path is percent-decoded once.
	Method, Path string
	// Client is the id of the session; "" while there is none.
	Client string
	// Query is the raw query of the request.
	Query string
	// Remote is the client's address, or a proxy's that names none; invalid for a Unix socket.
	Remote netip.AddrPort
	// Peer is the address of the connection itself, which decides whether a proxy is trusted.
	Peer netip.AddrPort
	// Headers returns the values of a header field.
	Headers func(name string) []string
	// OriginAllowed reports whether the page's origin is one that may use cookies here.
	OriginAllowed bool
	// TLS is the state of the connection; nil without TLS.
	TLS *tls.ConnectionState
	// Unix is the process at the other end of a Unix socket; nil for TCP.
	Unix *UnixPeer
	// Message is a token or ticket from the message "auth"; "" before.
	Message string
	// Extra is an object of the client for a callback, as JSON; nil if there is none.
	Extra []byte
}

// UnixPeer is a process at the other end of a Unix socket.
type UnixPeer struct{ PID, UID, GID int }

// Verdict is what Identify finds. One of Principal, Refusal, Later and Awaits is set.
type Verdict struct {
	Principal *Principal
	Refusal   *Refusal
	// Later decides on another goroutine, since it may take long. It returns a verdict without
	// Later. The context ends when the client is gone or is waited for no longer.
	Later func(context.Context) Verdict
	// Awaits is set if the client shows no credential, anonymous clients may not enter, and its
	// first message may say who it is.
	Awaits bool
}

// Refusal says why a client may not enter.
type Refusal struct {
	// Status is the HTTP status: 400, 401, 403, 429 or 503.
	Status int
	// Code is the reason in one word, such as expired or revoked.
	Code string
	// Reason is a whole sentence for the client. It contains no credential.
	Reason string
	// RetryAfter is when to try again; zero is not said.
	RetryAfter time.Duration
}

func (r *Refusal) Error() string { return r.Reason }

// refuse returns a verdict of refusal.
func refuse(status int, code, reason string) Verdict {
	return Verdict{Refusal: &Refusal{Status: status, Code: code, Reason: reason}}
}
