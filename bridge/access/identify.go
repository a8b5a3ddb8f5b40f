package access

import "context"

// identify says who a client is. A credential that it shows is decisive: if it is not valid, the
// client is refused. Without one, the connection identifies it: by the user that a trusted proxy
// names, since then the connection is the proxy's; by the subject of its certificate; by the user at
// the other end of a Unix socket. Otherwise it is anonymous.
func (a *Authority) identify(s *state, ap *Approach) Verdict {
	c, refusal := s.shown(ap)
	if refusal != nil {
		return Verdict{Refusal: refusal}
	}
	switch c.kind {
	case signedURL:
		return s.identifySigned(ap.Path, c.value)
	case bearerToken, unreadableField:
		return s.identifyBearer(ap, c)
	case loginTicket:
		return s.identifyTicket(ap, c)
	case tokenInURL:
		if !s.cfg.TokenInURL {
			return refuse(401, "invalid", "this bridge takes no token in a URL, which logs may show; send the field Authorization: Bearer, or the subprotocol bearer.TOKEN")
		}
		return s.identifyBearer(ap, c)
	}
	if s.callback != nil && s.callback.carries(ap) {
		return Verdict{Later: func(ctx context.Context) Verdict { return s.callback.identify(ctx, ap, "") }}
	}
	if v, ok := s.identifyProxied(ap); ok {
		return v
	}
	if s.relayed(ap) {
		return s.withoutCredential()
	}
	if v, ok := s.identifyCertificate(ap); ok {
		return v
	}
	if ap.Unix != nil && !ap.Peer.IsValid() && len(s.cfg.Unix) > 0 {
		return s.identifyPeer(*ap.Unix, a.accounts, s.withoutCredential())
	}
	return s.withoutCredential()
}

// relayed reports whether a proxy made the connection for a client that it names: then its user and
// its certificate are the proxy's, not the client's. A PROXY header, by which Peer is the client's
// address even on a Unix socket, leaves the certificate the client's.
func (s *state) relayed(ap *Approach) bool {
	if ap.Remote.Addr().Unmap() != ap.Peer.Addr().Unmap() {
		return true
	}
	return s.cfg.Proxy != nil && s.proxies.Trusts(ap.Peer.Addr()) && (len(ap.fields("X-Forwarded-For")) > 0 || len(ap.fields("Forwarded")) > 0)
}

// withoutCredential says who a client without a credential is.
func (s *state) withoutCredential() Verdict {
	if s.anonymous != nil {
		return Verdict{Principal: s.anonymous}
	}
	if len(s.tokens) > 0 || s.jwt != nil || s.takesTickets() {
		return Verdict{Awaits: true}
	}
	return Verdict{Refusal: missing()}
}

// missing refuses a client that shows no credential.
func missing() *Refusal {
	return &Refusal{Status: 401, Code: "missing", Reason: "this bridge must know who you are; send a credential, such as the field Authorization: Bearer TOKEN"}
}

// NoCredential is the refusal of a client without a credential that can send none in a message, such
// as a request over HTTP for which Identify returns Awaits.
func NoCredential() *Refusal { return missing() }

// takesTickets reports whether the callback decides about tickets.
func (s *state) takesTickets() bool { return s.callback != nil && s.cfg.Callback.Style != "proxy" }

// identifyBearer says who the bearer of a token is. The form of the token tells which source knows
// it; what is of none is a ticket for the callback.
func (s *state) identifyBearer(ap *Approach, c credential) Verdict {
	if c.kind != unreadableField {
		if t := s.findToken(c.value); t != nil {
			return s.identifyToken(t, ap.Remote.Addr())
		}
		if s.jwt != nil && looksLikeJWT(c.value) {
			return Verdict{Later: func(ctx context.Context) Verdict {
				if v, ours := s.jwt.verify(ctx, c.value); ours {
					return v
				}
				v := s.identifyOther(ap, c)
				if v.Later != nil {
					return v.Later(ctx)
				}
				return v
			}}
		}
	}
	return s.identifyOther(ap, c)
}

// identifyOther says who the bearer of something is that is neither a token of the configuration nor
// a JWT of one of its issuers.
func (s *state) identifyOther(ap *Approach, c credential) Verdict {
	if c.kind != unreadableField {
		if s.takesTickets() && c.value != "" {
			return s.identifyTicket(ap, c)
		}
	}
	if c.fromField && s.callback != nil && s.callback.forwards("Authorization") {
		return Verdict{Later: func(ctx context.Context) Verdict { return s.callback.identify(ctx, ap, "") }}
	}
	if _, signedIn := s.identifyProxied(ap); signedIn && c.fromField {
		return refuse(401, "invalid", "the field Authorization has no token that is valid here; configure the proxy that has signed you in to remove the field")
	}
	if c.kind == unreadableField {
		return refuse(401, "invalid", "the field Authorization is not understood; write Bearer and the token, or Basic with the token as the password")
	}
	return refuse(401, "invalid", "the token is not valid here; check that it was copied whole, or get a new one")
}

// identifyTicket asks the callback about a ticket.
func (s *state) identifyTicket(ap *Approach, c credential) Verdict {
	if !s.takesTickets() {
		return refuse(401, "invalid", "this bridge takes no tickets; send a token, such as in the field Authorization: Bearer TOKEN")
	}
	if c.value == "" {
		return refuse(401, "invalid", "the ticket is empty; get a new one")
	}
	return Verdict{Later: func(ctx context.Context) Verdict { return s.callback.identify(ctx, ap, c.value) }}
}
