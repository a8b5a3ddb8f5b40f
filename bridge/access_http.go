package bridge

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/origin"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// caller is what is known of who sends a request over HTTP.
type caller struct {
	peer    netip.AddrPort
	foreign *origin.RejectError // the page's origin is not allowed
	admin   bool                // it came through the admin port
}

type callerKey struct{}

func withCaller(r *http.Request, c caller) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
}

// callerOf returns what guard found out about a request.
func callerOf(r *http.Request) caller {
	if c, ok := r.Context().Value(callerKey{}).(caller); ok {
		return c
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	return caller{peer: peer}
}

// identifyHTTP says who sends a request over HTTP, or why it may not. It may take as long as a
// callback. Both are nil without access control.
func (b *Bridge) identifyHTTP(r *http.Request) (*access.Principal, *access.Refusal) {
	if b.access == nil {
		return nil, nil
	}
	return b.identifyHTTPAs(r, r.URL.Path)
}

// identifyHTTPAs is identifyHTTP as for a request to another path.
func (b *Bridge) identifyHTTPAs(r *http.Request, path string) (*access.Principal, *access.Refusal) {
	from := callerOf(r)
	remote := parseRemote(r.RemoteAddr)
	a := &access.Approach{Method: r.Method, Path: path, Query: r.URL.RawQuery, Remote: remote, Peer: from.peer,
		Headers: r.Header.Values, OriginAllowed: from.foreign == nil, TLS: r.TLS, Unix: unixPeer(engine.UnixPeerFromContext(r.Context()))}
	if from.foreign != nil && !a.ShowsBearer() {
		return nil, foreignPage(from.foreign)
	}
	generation := b.access.generation.Load()
	v := b.access.Identify(a)
	if v.Later != nil {
		v = b.decideHTTP(r, v)
	}
	p, no := b.access.settle(v, generation)
	switch {
	case no != nil:
		return nil, no
	case p == nil:
		return nil, access.NoCredential()
	case from.foreign != nil && p.Ambient():
		return nil, foreignPage(from.foreign)
	}
	return p, nil
}

// decideHTTP waits for a decision that takes long. Only so many wait; operators do not wait behind
// the public.
func (b *Bridge) decideHTTP(r *http.Request, v access.Verdict) access.Verdict {
	places := b.access.http
	if callerOf(r).admin {
		places = b.access.adminHTTP
	}
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	default:
		return access.Verdict{Refusal: errUndecided}
	}
	ctx, cancel := context.WithTimeout(r.Context(), authTimeout)
	defer cancel()
	return v.Later(ctx)
}

// refuseHTTP answers a request whose sender may not enter.
func (b *Bridge) refuseHTTP(w http.ResponseWriter, r *http.Request, no *access.Refusal) {
	b.refusals.Note(http.StatusText(no.Status), "client", r.RemoteAddr, "status", no.Status, "why", no.Reason)
	b.cfg.Audit.Refused(audit.Refused{Who: audit.Who{Remote: r.RemoteAddr}, Door: "enter", Path: r.URL.Path, Status: no.Status, Code: no.Code, Reason: no.Reason})
	if no.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if no.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(*wholeSeconds(no.RetryAfter)))
	}
	writeAPI(w, no.Status, protocol.JSON(apiError{Error: no.Reason, Code: refusalCode(no)}))
}

// unixPeer returns the process at the other end of a Unix socket as package access describes it.
func unixPeer(p engine.UnixPeer, ok bool) *access.UnixPeer {
	if !ok {
		return nil
	}
	return &access.UnixPeer{PID: p.PID, UID: p.UID, GID: p.GID}
}
