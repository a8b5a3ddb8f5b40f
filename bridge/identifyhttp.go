package bridge

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/clu-ws/clu-ws/bridge/access"
)

// identifyHTTP says who sends a request over HTTP, or why it may not. It may block. Both are nil
// without access control.
func (b *Bridge) identifyHTTP(r *http.Request) (*access.Principal, *access.Refusal) {
	if b.cfg.Access == nil {
		return nil, nil
	}
	ap := &access.Approach{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Headers: r.Header.Values, OriginAllowed: true, TLS: r.TLS}
	ap.Remote, _ = netip.ParseAddrPort(r.RemoteAddr)
	ap.Peer = ap.Remote
	return verdictHTTP(r.Context(), b.cfg.Access.Identify(ap))
}

// verdictHTTP waits for a verdict.
func verdictHTTP(ctx context.Context, v access.Verdict) (*access.Principal, *access.Refusal) {
	if v.Later != nil {
		v = v.Later(ctx)
	}
	switch {
	case v.Principal != nil:
		return v.Principal, nil
	case v.Refusal != nil:
		return nil, v.Refusal
	}
	return nil, &access.Refusal{Status: http.StatusUnauthorized, Code: "unauthorized", Reason: "say who you are: send a token in the header Authorization"}
}
