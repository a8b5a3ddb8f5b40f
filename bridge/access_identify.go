package bridge

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/origin"
)

// identify accepts an upgrade if its client may enter. A decision that may take long parks the
// connection.
func (b *Bridge) identify(r *engine.Request) (engine.Accepted, error) {
	l, _ := r.Tag().(origin.Listener)
	policies := b.policies()
	from := originRequest(policies.fronts, r)
	if no := policies.origins.CheckHost(l, from); no != nil {
		return engine.Accepted{}, &engine.RejectError{Status: http.StatusForbidden, Kind: no.Kind, Reason: no.Error()}
	}
	u, err := b.readUpgrade(r)
	if err != nil {
		return engine.Accepted{}, err
	}
	foreign := policies.origins.CheckOrigin(l, from)
	headers := &headerSource{r}
	a := &access.Approach{Method: http.MethodGet, Path: u.path, Remote: r.RemoteAddr(), Peer: r.PeerAddr(),
		Headers: headers.values, OriginAllowed: foreign == nil, TLS: r.TLS(), Unix: unixPeer(r.UnixPeer()), Client: b.clientID(u.number)}
	var raw string
	raw, a.Query, _ = strings.Cut(u.target, "?")
	u.origin, u.target = strings.Join(from.Origins, ", "), raw+"?"+access.WithoutCredentials(a.Query)
	ambient := foreign != nil && !a.ShowsBearer()
	if ambient && r.Header("Authorization") != "" { // a remembered password
		return engine.Accepted{}, b.refuseUpgrade(u, nil, foreignPage(foreign))
	}
	u.trusted, u.generation = foreign == nil, b.access.generation.Load()
	v := b.access.Identify(a)
	if ambient && !v.Awaits { // the page may still show a token of its own, in a message
		return engine.Accepted{}, b.refuseUpgrade(u, nil, foreignPage(foreign))
	}
	v = b.askRoom(v, b.clientID(u.number), u.path)
	if v.Later == nil {
		return b.decideUpgrade(u, v, foreign)
	}
	headers.detach()
	return engine.Accepted{Later: func(ctx context.Context) engine.Decision {
		v := v.Later(ctx)
		return func() (engine.Accepted, error) { return b.decideUpgrade(u, v, foreign) }
	}}, nil
}

// foreignPage returns the refusal of a page that may not connect.
func foreignPage(no *origin.RejectError) *access.Refusal {
	return &access.Refusal{Status: http.StatusForbidden, Code: no.Kind, Reason: no.Error()}
}

// decideUpgrade accepts or refuses a client by what is known of it. foreign is set if the page's
// origin is not allowed: then the client needs a credential that no browser shows by itself.
func (b *Bridge) decideUpgrade(u upgradeRequest, v access.Verdict, foreign *origin.RejectError) (engine.Accepted, error) {
	p, no := b.access.settle(v, u.generation)
	switch {
	case no != nil:
		return engine.Accepted{}, b.refuseUpgrade(u, v.Principal, no)
	case foreign != nil && p != nil && p.Ambient():
		return engine.Accepted{}, b.refuseUpgrade(u, p, foreignPage(foreign))
	case p == nil && b.roomOf(u.path) != "":
		return engine.Accepted{}, b.refuseUpgrade(u, nil, errRoomNeedsCredential)
	}
	return b.admit(u, p)
}

// settle returns the principal of a verdict, or nil if it awaits the client's first message, or
// why the client may not enter. A verdict that says nothing is a refusal.
func (a *accessControl) settle(v access.Verdict, generation uint64) (*access.Principal, *access.Refusal) {
	switch {
	case v.Refusal != nil:
		return nil, v.Refusal
	case v.Principal != nil:
		return a.current(v.Principal, generation)
	case v.Awaits:
		return nil, nil
	}
	return nil, errUndecided
}

var (
	errUndecided = &access.Refusal{Status: http.StatusServiceUnavailable, Code: "undecided", RetryAfter: 5 * time.Second,
		Reason: "your credential could not be checked in time; try again later"}
	errRoomNeedsCredential = &access.Refusal{Status: http.StatusUnauthorized, Code: "none",
		Reason: "a client of a room sends no messages; show the credential when you connect"}
)

// refuseUpgrade records a refusal and returns the answer to it. The principal is nil if it is not
// known.
func (b *Bridge) refuseUpgrade(u upgradeRequest, p *access.Principal, no *access.Refusal) *engine.RejectError {
	who := audit.Who{Remote: u.remote}
	if p != nil {
		who.Name, who.Source, who.Role, who.Credential = p.Name, p.Source, p.Role, p.CredentialID
	}
	b.cfg.Audit.Refused(audit.Refused{Who: who, Door: "enter", Path: u.path, Status: no.Status, Code: no.Code, Reason: no.Reason})
	reject := &engine.RejectError{Status: no.Status, Reason: no.Reason, RetryAfter: no.RetryAfter}
	if no.Code == origin.KindOrigin || no.Code == origin.KindHost {
		reject.Kind = no.Code
	}
	return reject
}

// headerSource returns the header fields of an upgrade request, which is replaced by a copy if the
// decision takes longer than Accept.
type headerSource struct{ *engine.Request }

func (h *headerSource) values(name string) []string { return h.Values(name) }
func (h *headerSource) detach()                     { h.Request = h.Clone() }
